"""Drop: remove some columns."""

from __future__ import annotations

from typing import ClassVar

from worker.batch import ANY, Batch, ColumnType, DType
from worker.nodes._names import Names, distinct
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature


class DropParams(Params):
    """Which columns go."""

    columns: Names


class Drop(Node[DropParams]):
    """Removes the named columns; rows stay, see `Filter` to drop those.

    Columns of any type, scalars and vectors; missing values make no difference.
    """

    Params = DropParams
    EXAMPLE: ClassVar = Example(
        params={"columns": ["name"]},
        types={"age": ColumnType(DType.INT64), "name": ColumnType(DType.TEXT)},
        given={"age": [31, None], "name": ["Ada", "Bob"]},
        gives={"age": [31, None]},
    )

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Every column must exist and be named once; none is read."""
        names = self.params.columns
        for i, name in enumerate(names):
            columns.need(f"columns[{i}]", name, ANY, vector=None)
        distinct(columns, ((f"columns[{i}]", name) for i, name in enumerate(names)))
        return Signature((), {}, tuple(names))

    def process(self, batch: Batch) -> Batch:
        """No value is touched."""
        return batch.without(self.signature.removes)
