"""Parquet by pyarrow, an optional package; a null is no field."""

from __future__ import annotations

import datetime
import importlib
import io
import math
from collections.abc import Iterator
from typing import Any, BinaryIO

from worker.cli.events.columns import Columns, encode
from worker.cli.events.rows import Events, Row
from worker.errors import ConfigError, Fault, Problem, Stage
from worker.schema import Schema

_ROWS = 1_024


def read_parquet(file: BinaryIO, name: str, schema: Schema) -> Events:
    """The events of a Parquet file.

    Raises:
        ConfigError: pyarrow is missing, this is no Parquet, or its columns do not fit the schema.
    """
    try:
        arrow: Any = importlib.import_module("pyarrow")
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        message = "Parquet needs the package pyarrow: pip install 'rtml-worker[parquet]'"
        raise ConfigError(Problem("", message, name)) from error
    try:
        # Parquet is read from its end, which a pipe does not have yet.
        table = parquet.ParquetFile(file if file.seekable() else io.BytesIO(file.read()))
    except (arrow.ArrowException, OSError) as error:
        raise ConfigError(Problem("", f"is no Parquet: {_first_line(error)}", name)) from error
    columns = Columns(table.schema_arrow.names, schema, name)
    total = table.metadata.num_rows
    read = [0]
    rows = _rows(table, arrow, name, columns, read)
    return Events(rows, lambda: read[0] / total if total else None, columns.notes)


def _rows(table: Any, arrow: Any, name: str, columns: Columns, read: list[int]) -> Iterator[Row]:
    number = 0
    try:
        for batch in table.iter_batches(batch_size=_ROWS):
            for cells in zip(*(_cells(column, arrow) for column in batch.columns), strict=True):
                number += 1
                yield _row(number, columns.event([_plain(cell) for cell in cells]))
            read[0] = number
    except (arrow.ArrowException, OSError) as error:
        message = f"breaks off after row {number}: {_first_line(error)}"
        raise ConfigError(Problem("", message, name)) from error


def _row(number: int, event: dict[str, Any]) -> Row:
    try:
        return Row(number, encode(event))
    except (TypeError, ValueError, OverflowError) as error:
        message = f"the row has no JSON form: {error}"
        return Row(number, repr(event).encode(), Fault(0, Stage.DECODE, "NoJson", message))


def _cells(column: Any, arrow: Any) -> list[Any]:
    """Python values; instants in microseconds, which Python's datetime can hold, and in UTC."""
    if arrow.types.is_timestamp(column.type):
        column = column.cast(arrow.timestamp("us", tz="UTC"), safe=False)
    return list(column.to_pylist())


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


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
