"""Threshold: a decision from a number."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from worker.batch import NUMBERS, Batch, Column, ColumnType, DType
from worker.nodes._fit import Number, Scalar, common_dtype, fit, fit_bound
from worker.nodes._names import Target
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature


class ThresholdParams(Params):
    """The bound, and the values for numbers from it upwards and for those below it."""

    column: str
    at: Number
    into: Target
    above: Scalar = True
    below: Scalar = False


class Threshold(Node[ThresholdParams]):
    """Writes ``above`` where the number is at least ``at``, else ``below``; missing stays missing.

    Numbers are ``(n,)``; a float32 column is compared in its own precision, so that 0.3 is at least
    0.3. The result is bool, text, int64 or float64, as ``above`` and ``below`` are.
    """

    Params = ThresholdParams
    EXAMPLE: ClassVar = Example(
        params={"column": "score", "at": 0.5, "into": "risk", "above": "high", "below": "low"},
        types={"score": ColumnType(DType.FLOAT32)},
        given={"score": [0.75, 0.5, 0.25, None]},
        gives={"risk": ["high", "high", "low", None]},
    )

    _at: Any
    _table: Column

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """The bound must fit the column; both values must be of one type."""
        params = self.params
        try:
            self._at = fit_bound(params.at, columns.need("column", params.column, NUMBERS).dtype)
        except ValueError as error:
            columns.problem("at", str(error))
        dtype, below, above = DType.BOOL, None, None
        try:
            dtype = common_dtype([params.below, params.above])
            below, above = fit(params.below, dtype), fit(params.above, dtype)
        except ValueError as error:
            columns.problem("above", f"above and below: {error}", sure=True)
        self._table = Column.of([None, below, above], dtype)
        return Signature((params.column,), {params.into: ColumnType(dtype)})

    def process(self, batch: Batch) -> Batch:
        """One comparison per row."""
        column = batch[self.params.column]
        decision = 1 + (column.values >= self._at).astype(np.int64)
        decision[column.missing] = 0
        return batch.with_columns({self.params.into: self._table.take(decision)})
