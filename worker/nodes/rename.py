"""Rename: give columns other names."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from worker.batch import Batch, ColumnType, DType
from worker.nodes._names import MAX_ENTRIES, Target
from worker.nodes._renaming import renamed
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
        mapping = self.params.columns
        writes, removes = renamed(columns, "columns", mapping)
        return Signature(tuple(mapping), writes, removes)

    def process(self, batch: Batch) -> Batch:
        """No value is touched."""
        new = {new: batch[old] for old, new in self.params.columns.items()}
        return batch.without(self.signature.removes).with_columns(new)
