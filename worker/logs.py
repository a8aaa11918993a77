"""Structured logs: JSON lines for machines, readable lines on a terminal. Always on stderr."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable
from typing import Any, Literal, TextIO

import structlog

from worker.bounds import bounds

_QUIET = ("aiokafka", "faust", "mode", "asyncio", "aiohttp")
_TALKATIVE = ("aiobotocore", "boto3", "botocore", "fsspec", "s3fs", "urllib3")
"""At level debug these tell what they send to a model store, session tokens included."""


class _Stderr(logging.StreamHandler[TextIO]):
    """Stderr as it is when a line is written: a status line puts itself there, to keep below."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


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
        else structlog.dev.ConsoleRenderer(colors=_coloured())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    renderer = _bounded(renderer)
    handler = _Stderr()
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
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(root.level, logging.INFO))


def _bounded(renderer: structlog.typing.Processor) -> structlog.typing.Processor:
    """Renders lines of at most so many bytes: the values of a longer one are cut, its fields stay.

    A message of Kafka, of a model or of a graph may have any length.
    """

    def render(logger: Any, name: str, event: structlog.typing.EventDict) -> str:
        most = bounds().max_log_bytes
        line = str(renderer(logger, name, dict(event)))
        share, size = most, len(line.encode(errors="replace"))
        while size > most and share > 1:
            share //= 2
            cut = {key: _cut(value, share) for key, value in event.items()}
            line = str(renderer(logger, name, {**cut, "cut_from_bytes": size}))
            if len(line.encode(errors="replace")) <= most:
                break
        return line

    return render


def _cut(value: object, length: int) -> object:
    text = value if isinstance(value, str) else repr(value)
    return value if len(text) <= length else f"{text[:length]}..."


def _coloured() -> bool:
    """See https://no-color.org: any text switches colours off."""
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")


def warn_all(event: str, details: Iterable[str]) -> None:
    """One warning for each detail."""
    for detail in details:
        structlog.get_logger(__name__).warning(event, detail=detail)
