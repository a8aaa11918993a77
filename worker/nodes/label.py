"""Label: class indices or probabilities to class names."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field, StrictStr

from worker.batch import NUMBERS, Batch, Column, ColumnType, DType
from worker.nodes._names import MAX_ENTRIES, Target
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature


class LabelParams(Params):
    """The names of the classes, in the order of their indices."""

    column: str
    labels: Annotated[list[StrictStr], Field(min_length=1, max_length=MAX_ENTRIES)]
    into: Target


class Label(Node[LabelParams]):
    """Names the class of an ``(n,)`` int64 index, or of an ``(n, k)`` vector's greatest entry.

    Of equal entries the first counts. An index that has no label is rejected (LabelError). A
    missing index, or a vector with a missing entry, gives a missing label.
    """

    Params = LabelParams
    EXAMPLE: ClassVar = Example(
        params={"column": "probabilities", "labels": ["cat", "dog"], "into": "animal"},
        types={"probabilities": ColumnType(DType.FLOAT32, 2)},
        given={"probabilities": [[0.25, 0.75], [0.5, 0.5], None]},
        gives={"animal": ["dog", "cat", None]},
    )

    _table: Column

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Needs an int64 index, or a vector as long as the labels."""
        name, labels = self.params.column, self.params.labels
        if name in columns and columns[name].length is not None:
            found = columns.need("column", name, NUMBERS, vector=True)
            if found == columns[name] and found.length != len(labels):
                columns.problem("labels", f"{len(labels)} labels, but column '{name}' is {found}")
        else:
            columns.need("column", name, (DType.INT64,))
        self._table = Column.of([None, *labels], DType.TEXT)
        return Signature((name,), {self.params.into: ColumnType(DType.TEXT)})

    def process(self, batch: Batch) -> Batch:
        """One table access per row."""
        name, labels = self.params.column, self.params.labels
        column = batch[name]
        index = column.values if column.values.ndim == 1 else np.argmax(column.values, axis=1)
        missing = column.missing
        outside = ((index < 0) | (index >= len(labels))) & ~missing
        named = batch.with_columns(
            {self.params.into: self._table.take(np.where(outside | missing, 0, index + 1))}
        )
        if not outside.any():
            return named
        messages = [
            f"column '{name}': {value} is no index of the {len(labels)} labels; name every class"
            for value in column.take(outside).to_list()
        ]
        return named.reject(outside, "LabelError", messages)
