"""Operations on two operands: add, sub, mul, div."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import StrictStr

from worker.batch import NUMBERS, Column, ColumnType, DType, Mask
from worker.nodes._changes import Change
from worker.nodes._fit import Number
from worker.nodes._floats import finite_or_nan, wrapped
from worker.nodes._pandas.operation import Kwargs, Operation, PerColumn, fitted
from worker.nodes.base import Columns

Operator = Callable[[Any, Any], Any]


class OperandKwargs(Kwargs):
    """A number or a column's name, and what stands for a missing value on one side."""

    other: StrictStr | Number
    fill_value: Number | None = None


def _binary(calculate: Operator) -> Callable[..., Change]:
    """The column and a number or another column, in the dtype that numpy has for both."""

    def make(columns: Columns, kwargs: OperandKwargs, _: str, dtype: DType) -> Change:
        other, fill = kwargs.other, kwargs.fill_value
        right: Any
        if isinstance(other, str):
            right = _empty(columns.need("kwargs.other", other, NUMBERS).dtype)
        else:
            exact = dtype is DType.INT64 and isinstance(other, int)
            right = fitted(columns, "other", other, dtype if exact else DType.FLOAT64) or 0
        if calculate is operator.truediv and other == 0:
            columns.problem(
                "kwargs.other", "dividing by 0 would make every result missing", sure=True
            )
        if fill is not None:
            fitted(columns, "fill_value", fill, dtype)
        with np.errstate(all="ignore"):
            result = calculate(_empty(dtype), right).dtype
        held = None if fill is None else _Fill(fill, result)

        def apply(left: Column, *others: Column) -> Column:
            return _calculated(calculate, left, others[0] if others else right, held)

        also = (other,) if isinstance(other, str) else ()
        return Change(Column(np.empty(0, result)).type.dtype, apply, also)

    return make


def _empty(dtype: DType) -> NDArray[Any]:
    return np.empty(0, ColumnType(dtype).numpy)


@dataclass(frozen=True, slots=True)
class _Fill:
    """What stands for a missing value, in the result's dtype: a column of int64 has no halves."""

    value: float
    dtype: np.dtype[Any]

    def of(self, values: NDArray[Any], missing: Mask) -> NDArray[Any]:
        if not missing.any():
            return values
        values = values.astype(self.dtype)
        values[missing] = self.value
        return values


def _calculated(
    calculate: Operator, left: Column, right: Column | float, fill: _Fill | None
) -> Column:
    lost = left.missing
    if isinstance(right, Column):
        right_lost = right.missing
        gone = lost | right_lost if fill is None else lost & right_lost
        second: Any = right.values if fill is None else fill.of(right.values, right_lost)
    else:
        gone = lost if fill is None else np.zeros(len(left), dtype=np.bool_)
        second = right
    first = left.values if fill is None else fill.of(left.values, lost)
    with np.errstate(all="ignore"):
        result = calculate(first, second)
        if result.dtype.kind == "i":
            approximate = calculate(np.float64(1) * first, np.float64(1) * second)
            gone = gone | wrapped(result, approximate)
        else:
            result = finite_or_nan(result)
    return Column(result, ~gone)


def _operation(says: str, calculate: Operator) -> Operation[Any]:
    return PerColumn(OperandKwargs, says, _binary(calculate), NUMBERS)


OPERATIONS: dict[str, Operation[Any]] = {
    "add": _operation("plus a number or another column", operator.add),
    "sub": _operation("minus a number or another column", operator.sub),
    "mul": _operation("times a number or another column", operator.mul),
    "div": _operation("divided by a number or another column", operator.truediv),
}

ALIASES = {"subtract": "sub", "multiply": "mul", "divide": "div", "truediv": "div"}
"""pandas' second names."""
