"""Concat: columns side by side as one vector."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from worker.batch import NUMBERS, Batch, Column, ColumnType, DType
from worker.nodes._names import Names, Target
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature

_MAX_LENGTH = 100_000


class ConcatParams(Params):
    """Numbers and vectors in order, the column for the vector, and its element type."""

    columns: Names
    into: Target
    dtype: Literal["float32", "float64"] = "float32"


class Concat(Node[ConcatParams]):
    """Puts scalars and vectors side by side into one vector; the sources stay.

    Columns are ``(n,)`` or ``(n, k)`` float32, float64, int64 or bool (as 0 and 1); the result is
    ``(n, sum of k)`` in ``dtype``, rounded to nearest. A missing source value is NaN at its place,
    and so is a number too large for float32; the whole vector then counts as missing.
    """

    Params = ConcatParams
    EXAMPLE: ClassVar = Example(
        params={"columns": ["age", "points"], "into": "features"},
        types={"age": ColumnType(DType.INT64), "points": ColumnType(DType.FLOAT32, 2)},
        given={"age": [31, 7, None], "points": [[0.5, 1.0], None, [2.0, 3.0]]},
        gives={"features": [[31.0, 0.5, 1.0], None, None]},
    )

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Needs numbers or bools, and at most 100,000 of them per event."""
        self._spans: list[tuple[str, slice]] = []
        end = 0
        for i, name in enumerate(self.params.columns):
            dtypes = NUMBERS | {DType.BOOL}
            found = columns.need(f"columns[{i}]", name, dtypes, vector=None)
            start, end = end, end + (found.length or 1)
            self._spans.append((name, slice(start, end)))
        if end > _MAX_LENGTH:
            columns.problem("columns", f"a vector of {end} numbers; at most {_MAX_LENGTH}")
        self._type = ColumnType(DType(self.params.dtype), end)
        return Signature(tuple(dict.fromkeys(self.params.columns)), {self.params.into: self._type})

    def process(self, batch: Batch) -> Batch:
        """One pass over all columns, straight into C order."""
        blocks = [batch[name].values for name, _ in self._spans]
        blocks = [block[:, None] if block.ndim == 1 else block for block in blocks]
        dtype = self._type.numpy
        with np.errstate(over="ignore"):
            joined = np.concatenate(blocks, axis=1, dtype=dtype, casting="same_kind")
        for name, span in self._spans:
            valid = batch[name].valid
            if valid is not None:
                joined[~valid, span] = np.nan
        if dtype == np.float32 and any(block.dtype == np.float64 for block in blocks):
            joined[np.isinf(joined)] = np.nan
        return batch.with_columns({self.params.into: Column(joined)})
