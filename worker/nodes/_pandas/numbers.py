"""Operations on numbers, each column alone: clip, round, abs, roots and logarithms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from worker.batch import NUMBERS, Column, DType
from worker.nodes._changes import Change, clipped, rounded
from worker.nodes._fit import Number
from worker.nodes._floats import as_float64, finite_or_nan
from worker.nodes._names import MAX_ENTRIES
from worker.nodes._pandas.operation import (
    Kwargs,
    Named,
    NoKwargs,
    Operation,
    PerColumn,
    fitted,
)
from worker.nodes.base import Columns

Decimals = Annotated[int, Field(strict=True, ge=-15, le=15)]


class ClipKwargs(Kwargs):
    """The bounds; an absent one does not bind."""

    lower: Number | None = None
    upper: Number | None = None

    @model_validator(mode="after")
    def _in_order(self) -> ClipKwargs:
        if self.lower is None and self.upper is None:
            raise ValueError("give lower, upper or both")
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise ValueError(f"lower {self.lower} is above upper {self.upper}")
        return self


class RoundKwargs(Kwargs):
    """How many decimals stay, or column -> decimals."""

    decimals: Decimals | Annotated[dict[str, Decimals], Field(max_length=MAX_ENTRIES)] = 0

    def named(self) -> Named:
        """The columns of a mapping."""
        if not isinstance(self.decimals, dict):
            return []
        return [(f"kwargs.decimals.{name}", name) for name in self.decimals]


def _clip(columns: Columns, kwargs: ClipKwargs, _: str, dtype: DType) -> Change:
    bounds = [
        None if value is None else fitted(columns, path, value, dtype)
        for path, value in (("lower", kwargs.lower), ("upper", kwargs.upper))
    ]
    return Change(dtype, lambda column: clipped(column, *bounds))


def _round(columns: Columns, kwargs: RoundKwargs, name: str, dtype: DType) -> Change:
    decimals = kwargs.decimals
    if isinstance(decimals, dict):
        if name not in decimals:
            columns.problem("kwargs.decimals", f"has nothing for column '{name}'", sure=True)
        decimals = decimals.get(name, 0)
    if dtype is DType.INT64 and decimals < 0:
        message = f"column '{name}' is int64; astype float rounds to tens and above"
        columns.problem("kwargs.decimals", message)
    count = decimals
    return Change(dtype, lambda column: rounded(column, count))


def _abs(_: Columns, __: NoKwargs, ___: str, dtype: DType) -> Change:
    def apply(column: Column) -> Column:
        found = np.abs(column.values)
        return Column(found, ~column.missing & ~(found < 0))  # int64 has no 2^63

    return Change(dtype, apply)


def _function(call: Callable[[Any], NDArray[np.float64]]) -> Callable[..., Change]:
    """A function of floats; what is not finite is missing."""

    def make(_: Columns, __: NoKwargs, ___: str, ____: DType) -> Change:
        def apply(column: Column) -> Column:
            with np.errstate(all="ignore"):
                return Column(finite_or_nan(call(as_float64(column))))

        return Change(DType.FLOAT64, apply)

    return make


OPERATIONS: dict[str, Operation[Any]] = {
    "clip": PerColumn(ClipKwargs, "moved to the nearest of two bounds", _clip, NUMBERS),
    "round": PerColumn(RoundKwargs, "rounded, a half to the even neighbour", _round, NUMBERS),
    "abs": PerColumn(NoKwargs, "without its sign", _abs, NUMBERS),
    "log": PerColumn(NoKwargs, "the natural logarithm", _function(np.log), NUMBERS),
    "log1p": PerColumn(NoKwargs, "the logarithm of one plus it", _function(np.log1p), NUMBERS),
    "exp": PerColumn(NoKwargs, "e to the power of it", _function(np.exp), NUMBERS),
    "sqrt": PerColumn(NoKwargs, "the square root", _function(np.sqrt), NUMBERS),
}
