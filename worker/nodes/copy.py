"""Copy: the same values under a second name."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from worker.batch import ANY, Batch, ColumnType, DType
from worker.nodes._names import MAX_ENTRIES, Target, distinct
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature


class CopyParams(Params):
    """Source column -> target column."""

    columns: dict[str, Target] = Field(min_length=1, max_length=MAX_ENTRIES)


class Copy(Node[CopyParams]):
    """Gives each source column a second name; a target that exists is replaced.

    Columns of any type, scalars and vectors; missing stays missing. Sources are those that reach
    the node, also where a source is another one's target.
    """

    Params = CopyParams
    EXAMPLE: ClassVar = Example(
        params={"columns": {"age": "age_given"}},
        types={"age": ColumnType(DType.INT64)},
        given={"age": [31, None]},
        gives={"age_given": [31, None]},
    )

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Sources must exist; targets must differ."""
        copied = self.params.columns
        writes = {
            target: columns.need(f"columns.{source}", source, ANY, vector=None)
            for source, target in copied.items()
        }
        distinct(columns, ((f"columns.{source}", target) for source, target in copied.items()))
        return Signature(tuple(copied), writes)

    def process(self, batch: Batch) -> Batch:
        """No value is copied: columns are read-only and can be shared."""
        columns = self.params.columns
        return batch.with_columns({target: batch[source] for source, target in columns.items()})
