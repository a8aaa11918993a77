"""Map: translate values by a table."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from worker.batch import ANY, Batch, ColumnType, DType
from worker.nodes._fit import Scalar
from worker.nodes._names import MAX_ENTRIES, Target
from worker.nodes._tables import Translation
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature


class MapParams(Params):
    """The table, and what stands for values that are not in it; null is missing."""

    column: str
    mapping: dict[Scalar, Scalar | None] = Field(min_length=1, max_length=MAX_ENTRIES)
    default: Scalar | None = None
    into: Target | None = None


class Map(Node[MapParams]):
    """Replaces each value by the one that ``mapping`` gives for it.

    A value that is no key becomes ``default``, or missing without one, and is counted in the metric
    `rtml_unknown_values_total`; missing stays missing, also with a default. Keys that the file
    writes as text fit int64, float and bool columns (``"1"``, ``"true"``). The result is text,
    bool, int64 or float64, as the values are.
    """

    Params = MapParams
    EXAMPLE: ClassVar = Example(
        params={"column": "brand", "mapping": {"vw": "volkswagen"}, "default": "others"},
        types={"brand": ColumnType(DType.TEXT)},
        given={"brand": ["vw", "lada", None]},
        gives={"brand": ["volkswagen", "others", None]},
    )

    _translation: Translation

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Keys must fit the column; values must be of one type."""
        params = self.params
        source = columns.need("column", params.column, ANY - {DType.DATETIME}).dtype
        self._translation = Translation(columns, "mapping", params.mapping, source, params.default)
        into = params.into or params.column
        return Signature((params.column,), {into: ColumnType(self._translation.dtype)})

    def process(self, batch: Batch) -> Batch:
        """One lookup per row."""
        source = self.params.column
        column, unknown = self._translation(batch[source])
        into = self.params.into or source
        return batch.with_columns({into: column}).count_unknown({source: unknown})
