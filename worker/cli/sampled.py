"""The events that a command tries a graph with."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from worker.cli.loading import Loaded
from worker.errors import ConfigError, Problem

MOST_EVENTS = 10_000

EventsArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE", help="Events, JSON lines; default: the graph's events.jsonl, or made up."
    ),
]


def sampled(loaded: Loaded, file: Path | None) -> list[bytes]:
    """The first `MOST_EVENTS` of a file (JSON lines, CSV, Parquet), or the graph's samples.

    Raises:
        ConfigError: there are none, or they cannot be read.
    """
    from worker.dataset.read import format_of, open_events
    from worker.dataset.shape import shape_of
    from worker.stream.tools.events import samples

    if file is None:
        return [value for value, _ in samples(loaded.path)]
    with open_events(file, format_of(file), shape_of(loaded.plan.schema)) as source:
        found = [row.value for row in islice(source.rows, MOST_EVENTS)]
    if not found:
        raise ConfigError(Problem("", "holds no event", str(file)))
    return found
