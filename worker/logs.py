"""Structured logs: JSON lines for machines, readable lines on a terminal. Always on stderr."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from typing import Literal

import structlog

_QUIET = ("aiokafka", "faust", "mode", "asyncio", "aiohttp")


def configure(style: Literal["auto", "json", "console"], level: str) -> None:
    """Sends structlog's and the libraries' logs to stderr in one style.

    Libraries are silent unless the level is debug: their clients report every try of a
    connection as an error; what matters of it the worker tells itself, once.
    """
    as_json = style == "json" or (style == "auto" and not sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(root.level if level == "debug" else logging.CRITICAL)


def warn_all(event: str, details: Iterable[str]) -> None:
    """One warning for each detail."""
    for detail in details:
        structlog.get_logger(__name__).warning(event, detail=detail)
