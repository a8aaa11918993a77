"""Select: keep some columns."""

from __future__ import annotations

from typing import ClassVar

from worker.batch import ANY, Batch, ColumnType, DType
from worker.nodes._names import Names, distinct
from worker.nodes.base import TOPIC_COLUMN, Columns, Context, Example, Node, Params, Signature


class SelectParams(Params):
    """Which columns stay."""

    columns: Names


class Select(Node[SelectParams]):
    """Keeps only the named columns; the topic that `Route` chose stays too.

    Columns of any type, scalars and vectors; missing stays missing.
    """

    Params = SelectParams
    EXAMPLE: ClassVar = Example(
        params={"columns": ["age"]},
        types={"age": ColumnType(DType.INT64), "name": ColumnType(DType.TEXT)},
        given={"age": [31, None], "name": ["Ada", "Bob"]},
        gives={"age": [31, None]},
    )

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Every column must exist and be named once."""
        names = self.params.columns
        for i, name in enumerate(names):
            columns.need(f"columns[{i}]", name, ANY, vector=None)
        distinct(columns, ((f"columns[{i}]", name) for i, name in enumerate(names)))
        kept = {*names, TOPIC_COLUMN}
        return Signature(tuple(names), {}, tuple(name for name in columns if name not in kept))

    def process(self, batch: Batch) -> Batch:
        """No value is touched."""
        return batch.without(self.signature.removes)
