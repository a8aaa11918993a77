"""Log1p: the logarithm of one plus a number."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from worker.batch import NUMBERS, Batch, Column, ColumnType, DType
from worker.nodes._floats import as_float64, finite_or_nan
from worker.nodes._names import Names, distinct
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature


class Log1pParams(Params):
    """Which columns."""

    columns: Names


class Log1p(Node[Log1pParams]):
    """Replaces numbers by ``log(1 + x)``, exact near zero; as ``numpy.log1p``.

    Columns are ``(n,)`` float32, float64 or int64 and become float64. Missing stays missing, and
    numbers of -1 and below, which have no logarithm, become missing.
    """

    Params = Log1pParams
    EXAMPLE: ClassVar = Example(
        params={"columns": ["visits"]},
        types={"visits": ColumnType(DType.FLOAT64)},
        given={"visits": [0.0, 1.0, -1.0, -2.0, None]},
        gives={"visits": [0.0, 0.6931471805599453, None, None, None]},
    )

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Needs numbers, each column once."""
        distinct(columns, ((f"columns[{i}]", name) for i, name in enumerate(self.params.columns)))
        for i, name in enumerate(self.params.columns):
            columns.need(f"columns[{i}]", name, NUMBERS)
        float64 = ColumnType(DType.FLOAT64)
        return Signature(tuple(self.params.columns), dict.fromkeys(self.params.columns, float64))

    def process(self, batch: Batch) -> Batch:
        """One pass per column."""
        new = {}
        with np.errstate(all="ignore"):
            for name in self.params.columns:
                new[name] = Column(finite_or_nan(np.log1p(as_float64(batch[name]))))
        return batch.with_columns(new)
