"""StandardScaler: numbers to standard scores."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field, StrictFloat

from worker.batch import NUMBERS, Batch, Column, ColumnType, DType
from worker.nodes._floats import as_float64, finite_or_nan
from worker.nodes._names import Names, distinct
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature


class StandardScalerParams(Params):
    """Columns, and for each its mean and scale: scikit-learn's ``mean_`` and ``scale_``."""

    columns: Names
    mean: list[StrictFloat]
    scale: list[Annotated[float, Field(strict=True, gt=0)]]


class StandardScaler(Node[StandardScalerParams]):
    """Replaces each number by ``(x - mean) / scale``; as scikit-learn's transform on float64.

    Columns are ``(n,)`` float32, float64 or int64 and become float64. Missing stays missing, and a
    result that is not finite is missing.
    """

    Params = StandardScalerParams
    EXAMPLE: ClassVar = Example(
        params={"columns": ["age", "km"], "mean": [40.0, 1000.0], "scale": [10.0, 500.0]},
        types={"age": ColumnType(DType.INT64), "km": ColumnType(DType.FLOAT64)},
        given={"age": [30, 45, None], "km": [1500.0, None, 0.0]},
        gives={"age": [-1.0, 0.5, None], "km": [1.0, None, -2.0]},
    )

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Needs numbers, each column once, and a mean and a scale for each."""
        params = self.params
        distinct(columns, ((f"columns[{i}]", name) for i, name in enumerate(params.columns)))
        for i, name in enumerate(params.columns):
            columns.need(f"columns[{i}]", name, NUMBERS)
        for what in ("mean", "scale"):
            found = len(getattr(params, what))
            if found != len(params.columns):
                columns.problem(
                    what, f"{found} numbers for {len(params.columns)} columns", sure=True
                )
        self._mean = np.array(params.mean)[:, None]
        self._scale = np.array(params.scale)[:, None]
        float64 = ColumnType(DType.FLOAT64)
        return Signature(tuple(params.columns), dict.fromkeys(params.columns, float64))

    def process(self, batch: Batch) -> Batch:
        """Two passes over all columns, each a row of one block: half the time of one by one."""
        names = self.params.columns
        scores = np.empty((len(names), len(batch)))
        for row, name in zip(scores, names, strict=True):
            row[:] = as_float64(batch[name])
        with np.errstate(over="ignore"):
            scores -= self._mean
            scores /= self._scale
        finite_or_nan(scores)
        return batch.with_columns(dict(zip(names, map(Column, scores), strict=True)))
