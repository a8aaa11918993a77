"""A Parquet file of flat rows; a null where there is nothing."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, BinaryIO

from worker.dataset.instants import instant
from worker.dataset.layout import Column, table_cell


class ParquetTable:
    """Rows of values as typed columns; what has no one type is text, or JSON in text."""

    def __init__(self, file: BinaryIO, columns: Sequence[Column]) -> None:
        """Begins the file."""
        self._arrow: Any = importlib.import_module("pyarrow")
        parquet: Any = importlib.import_module("pyarrow.parquet")
        self._schema = self._arrow.schema([(c.name, self._type(c.kind)) for c in columns])
        self._cells = [_instant if c.kind == "date-time" else table_cell(c.kind) for c in columns]
        self._writer = parquet.ParquetWriter(file, self._schema)

    def _type(self, kind: str) -> Any:
        if kind.startswith("list of "):
            return self._arrow.list_(self._type(kind.removeprefix("list of ")))
        return {
            "boolean": self._arrow.bool_(),
            "integer": self._arrow.int64(),
            "number": self._arrow.float64(),
            "date-time": self._arrow.timestamp("us", tz="UTC"),
        }.get(kind, self._arrow.string())

    def write(self, rows: list[list[Any]]) -> None:
        """Adds rows, a value for each column."""
        arrays = [
            self._arrow.array([made(row[i]) for row in rows], field.type)
            for i, (made, field) in enumerate(zip(self._cells, self._schema, strict=True))
        ]
        self._writer.write_table(self._arrow.table(arrays, schema=self._schema))

    def close(self) -> None:
        """Writes the footer, without which it is no Parquet."""
        self._writer.close()


def _instant(value: str | None) -> datetime | None:
    return None if value is None else instant(value)
