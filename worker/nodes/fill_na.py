"""FillNa: constants where values are missing."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from worker.batch import ANY, Batch, ColumnType, DType
from worker.nodes._changes import filled
from worker.nodes._fit import Scalar, fit
from worker.nodes._names import MAX_ENTRIES
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature


class FillNaParams(Params):
    """Column -> the value that fills it; ISO 8601 text for a datetime."""

    columns: dict[str, Scalar] = Field(min_length=1, max_length=MAX_ENTRIES)


class FillNa(Node[FillNaParams]):
    """Replaces missing values by a constant of the column's dtype; nothing is missing afterwards.

    Columns are ``(n,)`` of any dtype and keep it; a whole number fits a float column.
    """

    Params = FillNaParams
    EXAMPLE: ClassVar = Example(
        params={"columns": {"age": 40, "brand": "others"}},
        types={"age": ColumnType(DType.FLOAT64), "brand": ColumnType(DType.TEXT)},
        given={"age": [31.0, None], "brand": [None, "vw"]},
        gives={"age": [31.0, 40.0], "brand": ["others", "vw"]},
    )

    _fills: dict[str, Any]

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Each value must fit its column."""
        writes = {}
        self._fills = {}
        for name, value in self.params.columns.items():
            writes[name] = columns.need(f"columns.{name}", name, ANY)
            try:
                self._fills[name] = fit(value, writes[name].dtype)
            except ValueError as error:
                columns.problem(f"columns.{name}", str(error))
        return Signature(tuple(writes), writes)

    def process(self, batch: Batch) -> Batch:
        """Columns without a missing value are passed on as they are."""
        return batch.with_columns(
            {name: filled(batch[name], fill) for name, fill in self._fills.items()}
        )
