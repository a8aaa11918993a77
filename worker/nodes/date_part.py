"""DatePart: hour, weekday and the like as numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from worker.batch import Batch, Column, ColumnType, DType, Rows
from worker.nodes._names import Target, distinct
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature

Part = Literal[
    "year", "month", "day", "hour", "minute", "second", "dayofweek", "dayofyear", "quarter"
]
Instants = NDArray[np.datetime64]


def _whole(instants: Instants, unit: str) -> Instants:
    """The instants cut off to a calendar unit."""
    return instants.astype(f"datetime64[{unit}]")


def _count(instants: Instants, unit: str) -> Rows:
    """Calendar units since 1970-01-01."""
    return _whole(instants, unit).astype(np.int64)


def _since(instants: Instants, start: str, unit: str) -> Rows:
    """Whole units since the start of the enclosing one, such as days in the year."""
    return _count(instants, unit) - _count(_whole(instants, start), unit)


_PARTS: dict[Part, Callable[[Instants], Rows]] = {
    "year": lambda at: _count(at, "Y") + 1970,
    "month": lambda at: _count(at, "M") % 12 + 1,
    "day": lambda at: _since(at, "M", "D") + 1,
    "hour": lambda at: _count(at, "h") % 24,
    "minute": lambda at: _count(at, "m") % 60,
    "second": lambda at: _count(at, "s") % 60,
    "dayofweek": lambda at: (_count(at, "D") + 3) % 7,  # 1970-01-01 was a Thursday
    "dayofyear": lambda at: _since(at, "Y", "D") + 1,
    "quarter": lambda at: _count(at, "M") % 12 // 3 + 1,
}


class DatePartParams(Params):
    """Part -> the column that takes it."""

    column: str
    parts: dict[Part, Target] = Field(min_length=1)


class DatePart(Node[DatePartParams]):
    """Takes parts of a datetime, in UTC, as ``(n,)`` int64; those of a missing one are missing.

    Counted as pandas does: month, day, dayofyear and quarter from 1; hour, minute and second from
    0; dayofweek from Monday = 0.
    """

    Params = DatePartParams
    EXAMPLE: ClassVar = Example(
        params={"column": "at", "parts": {"hour": "hour", "dayofweek": "weekday"}},
        types={"at": ColumnType(DType.DATETIME)},
        given={"at": ["2024-03-01T10:15:00", None]},
        gives={"hour": [10, None], "weekday": [4, None]},
    )

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Needs a datetime, and another column for each part."""
        name, parts = self.params.column, self.params.parts
        if name in columns and columns[name].dtype is not DType.DATETIME:
            found = columns[name]
            columns.problem("column", f"column '{name}' is {found}; turn it by ToDatetime first")
        else:
            columns.need("column", name, (DType.DATETIME,))
        distinct(columns, ((f"parts.{part}", into) for part, into in parts.items()))
        return Signature((name,), {into: ColumnType(DType.INT64) for into in parts.values()})

    def process(self, batch: Batch) -> Batch:
        """Calendar arithmetic of numpy, a few passes per part."""
        column = batch[self.params.column]
        missing = column.missing
        valid = None if not missing.any() else ~missing
        new = {
            into: Column(_PARTS[part](column.values), valid)
            for part, into in self.params.parts.items()
        }
        return batch.with_columns(new)
