"""CSV with a header line: cells become what the schema declares, and an empty one is no field."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Iterator
from typing import Any, TextIO

import msgspec

from worker.batch import DType
from worker.cli.events.columns import Columns, encode
from worker.cli.events.rows import Events, Row
from worker.errors import ConfigError, Fault, Problem, Stage
from worker.schema import Leaf, Schema

MAX_CELL_BYTES = 16_000_000
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_vector = msgspec.json.Decoder(list[float]).decode


def read_csv(
    file: TextIO, name: str, schema: Schema, fraction: Callable[[], float | None]
) -> Events:
    """The events of a CSV file.

    Args:
        file: opened with ``surrogateescape``, so that broken bytes cost their own row only.
        name: of the file, for messages.
        schema: the declared fields.
        fraction: how much of the file was read.

    Raises:
        ConfigError: there is no header, or it does not fit the schema.
    """
    csv.field_size_limit(MAX_CELL_BYTES)
    reader = csv.reader(file, strict=True)
    try:
        header = next(reader, None)
    except csv.Error as error:
        raise ConfigError(Problem("", f"is no CSV: {error}", name, 1)) from error
    if header is None:
        raise ConfigError(Problem("", "is empty: the first line must name the columns", name))
    columns = Columns([cell.strip() for cell in header], schema, name)
    return Events(_rows(reader, name, columns), fraction, columns.notes)


def _rows(reader: Any, name: str, columns: Columns) -> Iterator[Row]:
    n = len(columns.leaves)
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
        if len(cells) != n:
            message = f"{len(cells)} cells, but the header has {n}"
            yield _unreadable(number, cells, "CellCount", message)
            continue
        values = [cell_value(cell, leaf) for cell, leaf in zip(cells, columns.leaves, strict=True)]
        try:
            yield Row(number, encode(columns.event(values)))
        except UnicodeEncodeError:
            yield _unreadable(number, cells, "InvalidUtf8", "the row is not valid UTF-8")


def _unreadable(number: int, cells: list[str], error: str, message: str) -> Row:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    value = line.getvalue().encode("utf-8", "surrogateescape")
    return Row(number, value, Fault(0, Stage.DECODE, error, message))


def cell_value(cell: str, leaf: Leaf | None) -> Any:
    """What a cell stands for; None where it is empty, text where it does not fit its field.

    Text in a number's place is no problem here: the event's decoder rejects it with its reason.
    """
    if not cell:
        return None
    if leaf is None:
        return cell
    if leaf.type.length is not None:
        return _parsed_vector(cell)
    if leaf.type.dtype in (DType.FLOAT64, DType.INT64):
        return _parsed_number(cell.strip())
    if leaf.type.dtype is DType.BOOL:
        return {"true": True, "false": False}.get(cell.strip().lower(), cell)
    return cell


def _parsed_number(cell: str) -> Any:
    """The cell's own digits where they are a JSON number: no precision is lost."""
    if _NUMBER.fullmatch(cell):
        return msgspec.Raw(cell.encode())
    try:
        value = float(cell)
    except ValueError:
        return cell
    return value if math.isfinite(value) else cell


def _parsed_vector(cell: str) -> Any:
    try:
        return _vector(cell)
    except (msgspec.MsgspecError, UnicodeError):
        return cell
