"""Cast: another dtype for columns."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from worker.batch import ANY, Batch, ColumnType, DType
from worker.nodes._casting import cast, obstacle
from worker.nodes._changes import Changes
from worker.nodes._fit import Invalid
from worker.nodes._names import MAX_ENTRIES
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature


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

    _changes: Changes

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """There must be a way from the column's type to the new one."""
        writes, changes = {}, {}
        for name, target in self.params.columns.items():
            source = columns.need(f"columns.{name}", name, ANY, vector=None)
            writes[name] = ColumnType(target, source.length)
            way_out = obstacle(source, target)
            if way_out:
                message = f"column '{name}' is {source} and cannot become {target}; {way_out}"
                columns.problem(f"columns.{name}", message)
            changes[name] = (name, cast(target, self.params.invalid))
        self._changes = Changes(changes)
        return Signature(tuple(writes), writes)

    def process(self, batch: Batch) -> Batch:
        """One pass per column; a row is rejected for the first column that fails."""
        return self._changes(batch)
