"""What commands say: data to stdout, talk to stderr, no colour where nobody looks."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum, StrEnum
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.segment import Segment, Segments
from rich.text import Text

from worker.cli.streams import discard
from worker.errors import ConfigError, Problem

WRITE = "Write a graph"
SCORE = "Score events"
KAFKA = "Stream through Kafka"
MODELS = "Keep models"
SERVICES = "Publish services"
DATA = "Work on data sets"
"""Groups of commands in the help."""


class ExitCode(IntEnum):
    """What the exit code says."""

    DONE = 0
    NO = 1
    """It ran, and the answer is no: a case failed, an event was rejected."""
    REFUSED = 2
    """The arguments, a graph or a setting: every problem was listed."""
    UNREACHABLE = 3
    """Kafka or a store."""
    INTERRUPTED = 130


class Output(StrEnum):
    """How data are printed."""

    TABLE = "table"
    JSON = "json"


OutputOption = Annotated[
    Output, typer.Option("--output", "-o", help="How to print: for people, or as JSON.")
]


def stop_writing() -> NoReturn:
    """Ends quietly: whoever reads our output, such as ``head``, has had enough."""
    discard(sys.stdout.fileno())
    raise typer.Exit(ExitCode.DONE)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        stop_writing()


def _console(*, stderr: bool) -> Console:
    return _Console(stderr=stderr, soft_wrap=True, highlight=False, markup=False, emoji=False)


out, err = _console(stderr=False), _console(stderr=True)


def printable(text: str) -> str:
    """One line without control characters: text of a file must not steer the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def print_problems(problems: Iterable[Problem]) -> None:
    """Each problem on a line of stderr, in the order of the files' lines, then how many."""
    listed = list(problems)
    files = list(dict.fromkeys(problem.file for problem in listed))
    for problem in sorted(listed, key=lambda p: (files.index(p.file), p.line or 0)):
        err.print(printable(str(problem)))
    where = f" in {len(files)} files" if len(files) > 1 else ""
    err.print(f"{count(len(listed), 'problem')}{where}", style="bold red")


def print_json(data: Any) -> None:
    """Data as indented JSON on stdout, escaped where stdout cannot take every character."""
    escaped = not out.encoding.startswith("utf")
    text = json.dumps(data, indent=2, ensure_ascii=escaped)
    # As text it would be taken apart and put together for lines that are not wrapped anyway.
    out.print(Segments([Segment(text)], new_lines=True))


def print_rows(
    rows: Iterable[Sequence[str]],
    styles: Sequence[str] = (),
    indent: int = 0,
    to: Console = out,
) -> None:
    """Cells in aligned columns; never cut, however narrow the terminal is.

    Args:
        rows: of equal length.
        styles: rich styles of the columns, for terminals.
        indent: blanks before each row.
        to: stdout or stderr.
    """
    for line in aligned(rows, styles, " " * indent):
        to.print(line)


def aligned(
    rows: Iterable[Sequence[str]], styles: Sequence[str] = (), before: str = ""
) -> Iterator[Text]:
    """A line for each row, ``before`` in front of it, its cells in columns."""
    listed = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, cells)) for cells in zip(*listed, strict=True)]
    for row in listed:
        line = Text(before)
        for cell, width, style in zip_longest(row, widths, styles[: len(row)], fillvalue=""):
            line.append(f"{cell!s:<{width}}", style=str(style)).append("  ")
        line.rstrip()
        yield line


def write_text(text: str, file: Path | None) -> None:
    """Text to a file, or to stdout as it is.

    Raises:
        ConfigError: the file cannot be written.
    """
    if file is None:
        write_bytes(text.encode())
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(not_writable(file, error)) from error


def write_bytes(data: bytes) -> None:
    """Bytes to stdout as they are."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        stop_writing()


def not_writable(file: Path, error: OSError) -> Problem:
    """The problem with a file that a flag names."""
    return Problem("", f"cannot be written: {error.strerror or error}", str(file))


def count(n: int, noun: str) -> str:
    """``1 event``, ``2 events``."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
