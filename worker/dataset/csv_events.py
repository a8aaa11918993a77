"""CSV with a header line: cells become what the schema declares, and an empty one is no field."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from worker.dataset.columns import Columns, encode
from worker.dataset.rows import MAX_ROW_BYTES, Events, Row
from worker.dataset.shape import Shape
from worker.errors import ConfigError, Fault, Problem, Stage

# What `surrogateescape` makes of bytes that are no UTF-8.
_BROKEN = re.compile("[\udc80-\udcff]")


def read_csv(
    file: TextIO, name: str, shape: Shape | None, fraction: Callable[[], float | None]
) -> Events:
    """The events of a CSV file.

    Args:
        file: opened with ``surrogateescape``, so that broken bytes cost their own row only.
        name: of the file, for messages.
        shape: of an event; without one, cells are guessed.
        fraction: how much of the file was read.

    Raises:
        ConfigError: there is no header, or it does not fit the schema.
    """
    csv.field_size_limit(MAX_ROW_BYTES)
    reader = csv.reader(_lines(file, name), strict=True)
    try:
        header = next(reader, None)
    except csv.Error as error:
        raise ConfigError(Problem("", f"is no CSV: {error}", name, 1)) from error
    if header is None:
        raise ConfigError(Problem("", "is empty: the first line must name the columns", name))
    if any(_BROKEN.search(cell) for cell in header):
        raise ConfigError(Problem("header", "is not valid UTF-8; save the file as UTF-8", name))
    columns = Columns([cell.strip() for cell in header], shape, name)
    return Events(_rows(reader, name, columns), fraction, columns.notes)


def _lines(file: TextIO, name: str) -> Iterator[str]:
    """The lines of a file, none of which fills the memory.

    Raises:
        ConfigError: a line longer than any row can be.
    """
    number = 0
    while line := file.readline(MAX_ROW_BYTES):
        number += 1
        if len(line) == MAX_ROW_BYTES:
            message = f"is no CSV: a line of more than {MAX_ROW_BYTES:,} characters"
            raise ConfigError(Problem("", message, name, number))
        yield line


def _rows(reader: Any, name: str, columns: Columns) -> Iterator[Row]:
    convert = columns.convert
    number = 0
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise ConfigError(Problem("", f"is no CSV: {error}", name, reader.line_num)) from error
        if cells is None:
            return
        if not cells:
            continue  # a blank line
        number += 1
        if len(cells) != len(convert):
            message = f"{len(cells)} cells, but the header has {len(convert)}"
            yield _unreadable(number, cells, "CellCount", message)
            continue
        values = [made(cell) if cell else None for made, cell in zip(convert, cells, strict=True)]
        try:
            yield Row(number, encode(columns.event(values)))
        except UnicodeEncodeError:
            yield _unreadable(number, cells, "InvalidUtf8", "the row is not valid UTF-8")


def _unreadable(number: int, cells: list[str], error: str, message: str) -> Row:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    value = line.getvalue().encode("utf-8", "surrogateescape")
    return Row(number, value, Fault(0, Stage.DECODE, error, message))
