"""Cast: another dtype for columns."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from worker.batch import ANY, NUMBERS, Batch, ColumnType, DType
from worker.nodes._casting import convert
from worker.nodes._fit import Invalid
from worker.nodes._names import MAX_ENTRIES
from worker.nodes._values import shown
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature

_FROM_DATETIME = (DType.DATETIME, DType.INT64, DType.FLOAT64, DType.TEXT)


class CastParams(Params):
    """Column -> new dtype, and what becomes of values that cannot be converted."""

    columns: dict[str, DType] = Field(min_length=1, max_length=MAX_ENTRIES)
    invalid: Invalid = "reject"


class Cast(Node[CastParams]):
    """Converts columns to another dtype; missing stays missing.

    A value that has no counterpart is rejected (CastError), or missing with ``invalid: missing``:
    text that is no finite number, no whole number for int64, neither true nor false (in any case)
    for bool; a number outside the new dtype. As in numpy, a float loses its fraction as int64, and
    a number other than 0 is true. To text: numbers as Python writes them, ``true`` and ``false``,
    datetimes as ISO 8601 with ``Z``. A datetime becomes a number as milliseconds since 1970; the
    way back is `ToDatetime`. Vectors ``(n, k)`` convert between numbers and bool.
    """

    Params = CastParams
    EXAMPLE: ClassVar = Example(
        params={"columns": {"age": "int64"}},
        types={"age": ColumnType(DType.TEXT)},
        given={"age": ["31", None, "old"]},
        gives={"age": [31, None]},
    )

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """There must be a way from the column's type to the new one."""
        writes = {}
        for name, target in self.params.columns.items():
            source = columns.need(f"columns.{name}", name, ANY, vector=None)
            writes[name] = ColumnType(target, source.length)
            way_out = _obstacle(source, target)
            if way_out:
                message = f"column '{name}' is {source} and cannot become {target}; {way_out}"
                columns.problem(f"columns.{name}", message)
        return Signature(tuple(writes), writes)

    def process(self, batch: Batch) -> Batch:
        """One pass per column; a row is rejected for the first column that fails."""
        new = {}
        rejected = np.zeros(len(batch), dtype=np.bool_)
        marked = batch
        for name, target in self.params.columns.items():
            column = batch[name]
            new[name], failed = convert(column, target)
            failed &= ~rejected
            if self.params.invalid == "reject" and failed.any():
                rejected |= failed
                messages = [
                    f"column '{name}': {shown(value)} is no {target}; "
                    "correct the event or set invalid: missing"
                    for value in column.take(failed).to_list()
                ]
                marked = marked.reject(failed, "CastError", messages)
        return marked.with_columns(new)


def _obstacle(source: ColumnType, target: DType) -> str:
    """The way out where there is no conversion, else empty."""
    if source.dtype is target:
        return ""
    if target is DType.DATETIME:
        return "use ToDatetime"
    if source.dtype is DType.DATETIME and target not in _FROM_DATETIME:
        return "use DatePart, or Cast it to int64 or float64"
    numeric = NUMBERS | {DType.BOOL}
    if source.length is not None and not {source.dtype, target} <= numeric:
        return "vectors convert only between numbers and bool"
    return ""
