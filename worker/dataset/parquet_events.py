"""Parquet by pyarrow, an optional package; a null is no field."""

from __future__ import annotations

import datetime
import importlib
import io
import math
from collections.abc import Iterator
from typing import Any, BinaryIO

from worker.dataset.columns import Columns, encode
from worker.dataset.rows import Events, Row
from worker.dataset.shape import Shape
from worker.errors import ConfigError, Fault, Problem, Stage

_ROWS = 1_024


def read_parquet(file: BinaryIO, name: str, shape: Shape | None) -> Events:
    """The events of a Parquet file.

    Raises:
        ConfigError: pyarrow is missing, this is no Parquet, or its columns do not fit the schema.
    """
    arrow = pyarrow(name)
    parquet: Any = importlib.import_module("pyarrow.parquet")
    try:
        # Parquet is read from its end, which a pipe does not have yet.
        table = parquet.ParquetFile(file if file.seekable() else io.BytesIO(file.read()))
    except (arrow.ArrowException, OSError) as error:
        raise ConfigError(Problem("", f"is no Parquet: {_first_line(error)}", name)) from error
    columns = Columns(table.schema_arrow.names, shape, name)
    total = table.metadata.num_rows
    read = [0]
    rows = _rows(table, arrow, name, columns, read)
    return Events(rows, lambda: read[0] / total if total else None, columns.notes)


def pyarrow(name: str) -> Any:
    """The package pyarrow.

    Args:
        name: of the file that needs it, for messages.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        return importlib.import_module("pyarrow")
    except ImportError as error:
        message = "Parquet needs the package pyarrow: pip install 'rtml-worker[parquet]'"
        raise ConfigError(Problem("", message, name)) from error


def _rows(table: Any, arrow: Any, name: str, columns: Columns, read: list[int]) -> Iterator[Row]:
    number = 0
    try:
        for batch in table.iter_batches(batch_size=_ROWS):
            for cells in zip(*_cells(batch, columns, arrow), strict=True):
                number += 1
                yield _row(number, columns.event(cells))
            read[0] = number
    except (arrow.ArrowException, OSError, UnicodeDecodeError) as error:
        message = f"breaks off after row {number}: {_first_line(error)}"
        raise ConfigError(Problem("", message, name)) from error


def _row(number: int, event: dict[str, Any]) -> Row:
    try:
        return Row(number, encode(event))
    except (TypeError, ValueError, OverflowError) as error:
        message = f"the row has no JSON form: {error}"
        return Row(number, repr(event).encode(), Fault(0, Stage.DECODE, "NoJson", message))


def _cells(batch: Any, columns: Columns, arrow: Any) -> Iterator[list[Any]]:
    """Python values by column; text is converted where its field holds none."""
    for i, column in enumerate(batch.columns):
        values = map(_plain, _values(column, arrow))
        if columns.whole[i]:  # whole numbers with gaps are floats in pandas
            values = map(_whole, values)
        if columns.as_text[i]:
            yield list(values)
        else:
            convert = columns.convert[i]
            yield [convert(value) if isinstance(value, str) else value for value in values]


def _values(column: Any, arrow: Any) -> list[Any]:
    if arrow.types.is_timestamp(column.type):
        # In microseconds, which Python's datetime can hold, and in UTC.
        return list(column.cast(arrow.timestamp("us", tz="UTC"), safe=False).to_pylist())
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        # Broken text of a flat column survives as surrogates: it costs its own row only.
        if not (arrow.types.is_string(column.type) or arrow.types.is_large_string(column.type)):
            raise
        raw = column.cast(arrow.large_binary()).to_pylist()
        return [cell if cell is None else cell.decode("utf-8", "surrogateescape") for cell in raw]


def _plain(value: Any) -> Any:
    """Without what JSON cannot hold: NaN is missing, a datetime without a zone is UTC."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime.datetime) and value.tzinfo is None:
        return value.replace(tzinfo=datetime.UTC)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
