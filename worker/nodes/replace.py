"""Replace: change some values, keep the others."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from worker.batch import ANY, Batch, ColumnType, DType
from worker.nodes._fit import Scalar
from worker.nodes._names import MAX_ENTRIES, Target
from worker.nodes._tables import Replacement
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature


class ReplaceParams(Params):
    """Value -> its replacement; null is missing."""

    column: str
    mapping: dict[Scalar, Scalar | None] = Field(min_length=1, max_length=MAX_ENTRIES)
    into: Target | None = None


class Replace(Node[ReplaceParams]):
    """Replaces the values that are keys of ``mapping``; every other value is kept.

    Missing stays missing, and a value that is mapped to null becomes missing. The dtype stays.
    """

    Params = ReplaceParams
    EXAMPLE: ClassVar = Example(
        params={"column": "brand", "mapping": {"vw": "volkswagen", "?": None}},
        types={"brand": ColumnType(DType.TEXT)},
        given={"brand": ["vw", "lada", "?", None]},
        gives={"brand": ["volkswagen", "lada", None, None]},
    )

    _replacement: Replacement

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Keys and values must fit the column."""
        params = self.params
        found = columns.need("column", params.column, ANY - {DType.DATETIME})
        self._replacement = Replacement(columns, "mapping", params.mapping, found.dtype)
        return Signature((params.column,), {params.into or params.column: found})

    def process(self, batch: Batch) -> Batch:
        """One lookup per row; only the rows that change are written."""
        into = self.params.into or self.params.column
        return batch.with_columns({into: self._replacement(batch[self.params.column])})
