"""Arithmetic: one sum, difference, product or quotient per event."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import StrictFloat, StrictStr

from worker.batch import NUMBERS, Batch, Column, ColumnType, DType
from worker.nodes._floats import as_float64, finite_or_nan
from worker.nodes._names import Target
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature

Operand: TypeAlias = StrictStr | StrictFloat

_OPERATORS: dict[str, Callable[[Any, Any], NDArray[np.float64]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


class ArithmeticParams(Params):
    """Two operands, text for a column's name or a number, and the column for the result."""

    left: Operand
    op: Literal["+", "-", "*", "/"]
    right: Operand
    into: Target


class Arithmetic(Node[ArithmeticParams]):
    """Calculates ``left op right`` in float64 into ``into``; at least one side is a column.

    Columns are ``(n,)`` float32, float64 or int64. A result is missing where an operand is, and
    where it is not finite: a division by zero, an overflow.
    """

    Params = ArithmeticParams
    EXAMPLE: ClassVar = Example(
        params={"left": "amount", "op": "/", "right": "items", "into": "per_item"},
        types={"amount": ColumnType(DType.FLOAT64), "items": ColumnType(DType.INT64)},
        given={"amount": [9.0, None, 5.0, 1.5], "items": [3, 2, 0, None]},
        gives={"per_item": [3.0, None, None, None]},
    )

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Needs numbers, a column on one side, and a divisor that is not always zero."""
        params = self.params
        reads = []
        for side in ("left", "right"):
            operand = getattr(params, side)
            if isinstance(operand, str):
                columns.need(side, operand, NUMBERS)
                reads.append(operand)
        if not reads:
            columns.problem(
                "left", "left and right are both numbers; name a column in one of them", sure=True
            )
        if params.op == "/" and params.right == 0:
            columns.problem("right", "dividing by 0 would make every result missing", sure=True)
        return Signature(tuple(reads), {params.into: ColumnType(DType.FLOAT64)})

    def process(self, batch: Batch) -> Batch:
        """One pass over the operands."""
        sides = (self.params.left, self.params.right)
        left, right = (as_float64(batch[s]) if isinstance(s, str) else s for s in sides)
        with np.errstate(all="ignore"):
            result = _OPERATORS[self.params.op](left, right)
        return batch.with_columns({self.params.into: Column(finite_or_nan(result))})
