"""What the commands that talk to Kafka share: flags, settings, and what they say while waiting."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.console import err, printable

if TYPE_CHECKING:
    from worker.settings import Settings

BrokersOption = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT,...", help="Of Kafka; default: RTML_BROKERS, or localhost:9092."
    ),
]
WaitOption = Annotated[
    float, typer.Option(min=0, metavar="SECONDS", help="Give up reaching Kafka after so long.")
]
PartitionsOption = Annotated[int, typer.Option(min=1, help="Of the topics that are made.")]

WAIT_S = 10.0
PARTITIONS = 4
_OWN = ("RTML_GROUP", "RTML_HTTP_", "RTML_LOCATION", "RTML_LOG_", "RTML_BROKERS")
"""Variables about what a command decides for the worker that it starts."""


def settings_for(brokers: str | None, **flags: str | None) -> Settings:
    """The settings from flags (by field) and variables; unknown variables are warned about.

    Whatever a command has to say it says itself, and stdout is for data alone: logs go to stderr,
    and tell errors only.

    Raises:
        ConfigError: every setting that is wrong.
    """
    from worker import logs
    from worker.settings import load

    settings, warnings = load(os.environ, {"brokers": brokers, **flags})
    for warning in warnings:
        err.print(f"warning: {printable(warning)}", style="yellow")
    logs.configure(settings.log_format, "debug" if settings.log_level == "debug" else "error")
    return settings


class Waiting:
    """Says on stderr why Kafka does not answer, each reason once."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, reason: str) -> None:
        """Told before each further try."""
        if reason != self._last:
            err.print(f"{printable(reason)}; trying again", style="yellow")
            self._last = reason


def worker_environment(settings: Settings, *, embedded: bool = False) -> dict[str, str]:
    """The variables of a worker that a command starts: ours, but for what the command decides.

    Args:
        settings: of the command.
        embedded: settings for Kafka are those of the user's, and this one is not.
    """
    taken = ("RTML_",) if embedded else _OWN
    kept = {name: value for name, value in os.environ.items() if not name.startswith(taken)}
    return {**kept, "RTML_FETCH_MAX_WAIT_MS": str(settings.fetch_max_wait_ms)}
