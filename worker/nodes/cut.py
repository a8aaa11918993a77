"""Cut: numbers to intervals."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, StrictBool, StrictStr

from worker.batch import NUMBERS, Batch, Column, ColumnType, DType
from worker.nodes._fit import Number
from worker.nodes._intervals import Bins, Edges, edges_of, interval, label_table
from worker.nodes._names import MAX_ENTRIES, Target
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature


class CutParams(Params):
    """The edges in ascending order, and what each interval between two of them is called."""

    column: str
    bins: Bins
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

    _edges: Edges
    _table: Column

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Edges must ascend; there must be one label for each interval, all of one type."""
        params = self.params
        dtype = columns.need("column", params.column, NUMBERS).dtype
        self._edges = edges_of(columns, "bins", params.bins, dtype)
        labels = params.labels
        names: list[Any] = list(range(len(params.bins) - 1)) if labels is None else [*labels]
        dtype = DType.INT64
        if labels is not None:
            text = any(isinstance(label, str) for label in labels)
            dtype = DType.TEXT if text else DType.FLOAT64
        self._table = label_table(columns, "labels", names, dtype, len(params.bins) - 1)
        return Signature((params.column,), {params.into or params.column: ColumnType(dtype)})

    def process(self, batch: Batch) -> Batch:
        """One binary search per row."""
        found = interval(batch[self.params.column], self._edges, right=self.params.right)
        into = self.params.into or self.params.column
        return batch.with_columns({into: self._table.take(found)})
