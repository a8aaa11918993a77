"""Values while an expression is calculated: shapes ``(n,)``, or ``()`` for constants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.batch import Batch, Column
from worker.nodes._floats import as_float64


class Kind(StrEnum):
    """What an expression gives; null fits every other kind."""

    NUMBER = "number"
    TEXT = "text"
    BOOL = "true or false"
    NULL = "null"


_INT64 = np.iinfo(np.int64)
FILL: dict[Kind, Any] = {Kind.NUMBER: np.nan, Kind.TEXT: "", Kind.BOOL: False}
NUMPY: dict[Kind, Any] = {Kind.NUMBER: np.float64, Kind.TEXT: object, Kind.BOOL: np.bool_}


@dataclass(frozen=True, slots=True)
class Cells:
    """Values, and where there are none; what stands there means nothing.

    Attributes:
        values: float64, bool, or object with texts; never None.
        missing: of the same shape, or one that broadcasts to it.
        whole: the same numbers as int64 where they are whole, for comparisons: float64 holds
            them up to 2^53 only.
    """

    values: NDArray[Any]
    missing: NDArray[np.bool_]
    whole: NDArray[np.int64] | None = None


Run = Callable[[Batch], Cells]


def constant(value: Any, kind: Kind) -> Cells:
    """One value for every row; None is missing."""
    held = FILL[kind] if value is None else value
    whole = np.array(value, dtype=np.int64) if is_int64(value) else None
    return Cells(np.array(held, dtype=NUMPY[kind]), np.array(value is None), whole)


def is_int64(value: object) -> bool:
    """Whether it is a whole number that int64 holds."""
    return type(value) is int and _INT64.min <= value <= _INT64.max


def from_column(column: Column, kind: Kind) -> Cells:
    """A ``(n,)`` column."""
    missing = column.missing
    if kind is Kind.NUMBER:
        whole = column.values if column.values.dtype.kind == "i" else None
        return Cells(as_float64(column), missing, whole)
    values = column.values
    if kind is Kind.TEXT and missing.any():
        values = values.copy()
        values[missing] = ""
    return Cells(values, missing)


def to_column(cells: Cells, n: int) -> Column:
    """A ``(n,)`` column; a constant is repeated."""
    values = np.broadcast_to(cells.values, (n,)).copy()
    return Column(values, ~np.broadcast_to(cells.missing, (n,)))


def numbers(values: Any, missing: NDArray[np.bool_]) -> Cells:
    """Results of arithmetic: what is not finite is missing."""
    held = np.asarray(values, dtype=np.float64)
    return Cells(held, missing | ~np.isfinite(held))
