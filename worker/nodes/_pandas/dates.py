"""Operations on points in time: to_datetime and the parts of dt."""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import StrictBool

from worker.batch import DType
from worker.nodes._changes import Change
from worker.nodes._dates import Part, part
from worker.nodes._instants import instants
from worker.nodes._pandas.operation import (
    Kwargs,
    NoKwargs,
    Operation,
    PerColumn,
    as_is,
)
from worker.nodes.base import Columns

_UNITS: dict[str, tuple[int, int]] = {
    "D": (86_400_000, 1),
    "h": (3_600_000, 1),
    "m": (60_000, 1),
    "s": (1000, 1),
    "ms": (1, 1),
    "us": (1, 1000),
    "ns": (1, 1_000_000),
}
"""Milliseconds in a unit, and units in a millisecond."""

_SAME: dict[str, Part] = {
    "weekday": "dayofweek",
    "day_of_week": "dayofweek",
    "day_of_year": "dayofyear",
}


class InstantKwargs(Kwargs):
    """The unit of numbers, and what becomes of values that are no point in time."""

    unit: Literal["D", "h", "m", "s", "ms", "us", "ns"] | None = None
    errors: Literal["raise", "coerce"] = "raise"
    utc: StrictBool | None = None
    format: Literal["ISO8601", "mixed"] | None = None


def _to_datetime(columns: Columns, kwargs: InstantKwargs, _: str, dtype: DType) -> Change:
    if dtype is DType.DATETIME:  # as for pandas, nothing to do
        return Change(dtype, as_is)
    if dtype is DType.TEXT and kwargs.unit is not None:
        columns.problem("kwargs.unit", "is for numbers, and the column is text; remove it")
    factor, divisor = _UNITS[kwargs.unit or "ns"]
    error = "DatetimeError" if kwargs.errors == "raise" else ""
    return Change(DType.DATETIME, lambda column: instants(column, factor, divisor), error=error)


def _part(name: Part) -> Operation[Any]:
    def make(_: Columns, __: NoKwargs, ___: str, ____: DType) -> Change:
        return Change(DType.INT64, lambda column: part(column, name))

    return PerColumn(NoKwargs, f"the {name}, in UTC", make, frozenset({DType.DATETIME}))


_PARTS = {name: _part(name) for name in get_args(Part)} | {
    name: _part(same) for name, same in _SAME.items()
}

OPERATIONS: dict[str, Operation[Any]] = {
    "to_datetime": PerColumn(
        InstantKwargs,
        "ISO 8601 text, or numbers since 1970 (nanoseconds without `unit`), in UTC",
        _to_datetime,
        frozenset({DType.TEXT, DType.INT64, DType.FLOAT64, DType.DATETIME}),
    ),
    **{f"dt.{name}": operation for name, operation in _PARTS.items()},
}

ALIASES = {name: f"dt.{name}" for name in _PARTS}
"""Parts without the accessor."""
