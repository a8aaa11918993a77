"""Cut: numbers to intervals."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, StrictBool, StrictFloat, StrictStr

from worker.batch import NUMBERS, Batch, Column, ColumnType, DType
from worker.nodes._fit import Number
from worker.nodes._names import MAX_ENTRIES, Target
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature

Edge = StrictFloat | Literal["-inf", "inf"]
"""A bound; the infinite ones are text, since JSON has no number for them."""


class CutParams(Params):
    """The edges in ascending order, and what each interval between two of them is called."""

    column: str
    bins: Annotated[list[Edge], Field(min_length=2, max_length=MAX_ENTRIES)]
    labels: Annotated[list[StrictStr] | list[Number], Field(max_length=MAX_ENTRIES)] | None = None
    right: StrictBool = True
    into: Target | None = None


class Cut(Node[CutParams]):
    """Gives the interval a number lies in, as ``pandas.cut`` does.

    Intervals include their right edge, or with ``right: false`` their left one. A number outside
    all of them is missing, and missing stays missing. Without labels the result is the interval's
    index from 0, int64; with labels it is text, or float64 where all labels are numbers.
    """

    Params = CutParams
    EXAMPLE: ClassVar = Example(
        params={"column": "age", "bins": [17, 30, "inf"], "labels": ["young", "grown"]},
        types={"age": ColumnType(DType.INT64)},
        given={"age": [18, 30, 31, 17, None]},
        gives={"age": ["young", "young", "grown", None, None]},
    )

    _edges: NDArray[np.float64]
    _table: Column

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Edges must ascend; there must be one label for each interval, all of one type."""
        params = self.params
        columns.need("column", params.column, NUMBERS)
        self._edges = np.array([float(edge) for edge in params.bins])
        for i in range(1, len(self._edges)):
            if not self._edges[i - 1] < self._edges[i]:
                columns.problem(f"bins[{i}]", "edges must ascend")
        labels = params.labels
        names: list[Any] = list(range(len(params.bins) - 1)) if labels is None else [*labels]
        if len(names) != len(params.bins) - 1:
            message = f"{len(names)} labels, but {len(params.bins) - 1} intervals between the bins"
            columns.problem("labels", message)
        dtype = DType.INT64
        if labels is not None:
            text = any(isinstance(label, str) for label in labels)
            dtype = DType.TEXT if text else DType.FLOAT64
        self._table = Column.of([None, *names], dtype)
        return Signature((params.column,), {params.into or params.column: ColumnType(dtype)})

    def process(self, batch: Batch) -> Batch:
        """One binary search per row."""
        column = batch[self.params.column]
        side: Literal["left", "right"] = "left" if self.params.right else "right"
        interval = self._edges.searchsorted(column.values, side)
        interval[(interval == len(self._edges)) | column.missing] = 0
        into = self.params.into or self.params.column
        return batch.with_columns({into: self._table.take(interval)})
