"""Arguments and flags of several `rtml dataset` commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.console import err, printable
from worker.dataset.read import Format, format_of, open_events

if TYPE_CHECKING:
    from worker.dataset.rows import Events
    from worker.dataset.shape import Shape

FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="JSON lines, CSV or Parquet; - is stdin.")
]
SchemaOption = Annotated[
    Path, typer.Option("--schema", metavar="FILE", help="A JSON Schema (draft 2020-12).")
]
FormatOption = Annotated[
    Format | None, typer.Option("--format", help="Of the file; default: by its name, else jsonl.")
]
RejectsOption = Annotated[
    Path | None,
    typer.Option("--rejects", metavar="FILE", help="Where rejected rows go, with all reasons."),
]


def source(file: Path) -> Path | None:
    """The file that is meant; None for stdin."""
    return None if str(file) == "-" else file


@contextmanager
def opened(file: Path, format_: Format | None, shape: Shape | None) -> Iterator[Events]:
    """A file of events; what there is to know about its columns is said.

    Raises:
        ConfigError: it cannot be read, or its columns do not fit.
    """
    path = source(file)
    with open_events(path, format_ or format_of(path), shape) as events:
        for note in events.notes:
            err.print(f"note: {printable(note)}", style="yellow")
        yield events
