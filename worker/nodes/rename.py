"""Rename: give columns other names."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from worker.batch import ANY, Batch, ColumnType, DType
from worker.nodes._names import MAX_ENTRIES, Target, distinct
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature


class RenameParams(Params):
    """Old name -> new name."""

    columns: dict[str, Target] = Field(min_length=1, max_length=MAX_ENTRIES)


class Rename(Node[RenameParams]):
    """Renames columns, all at once, so that two may swap names.

    Columns of any type, scalars and vectors; missing stays missing.
    """

    Params = RenameParams
    EXAMPLE: ClassVar = Example(
        params={"columns": {"tenant.age": "age"}},
        types={"tenant.age": ColumnType(DType.INT64)},
        given={"tenant.age": [31, None]},
        gives={"age": [31, None]},
    )

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Old names must exist; a new name may not be that of a column that stays."""
        renamed = self.params.columns
        writes = {}
        for old, new in renamed.items():
            writes[new] = columns.need(f"columns.{old}", old, ANY, vector=None)
            if new in columns and new not in renamed:
                columns.problem(f"columns.{old}", f"column '{new}' exists already; Drop it first")
        distinct(columns, ((f"columns.{old}", new) for old, new in renamed.items()))
        removes = tuple(old for old in renamed if old not in writes)
        return Signature(tuple(renamed), writes, removes)

    def process(self, batch: Batch) -> Batch:
        """No value is touched."""
        new = {new: batch[old] for old, new in self.params.columns.items()}
        return batch.without(self.signature.removes).with_columns(new)
