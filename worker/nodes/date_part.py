"""DatePart: hour, weekday and the like as numbers."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from worker.batch import Batch, ColumnType, DType
from worker.nodes._dates import Part, part
from worker.nodes._names import Target, distinct
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature


class DatePartParams(Params):
    """Part -> the column that takes it."""

    column: str
    parts: dict[Part, Target] = Field(min_length=1)


class DatePart(Node[DatePartParams]):
    """Takes parts of a datetime, in UTC, as ``(n,)`` int64; those of a missing one are missing.

    Counted as pandas does: month, day, dayofyear and quarter from 1; hour, minute and second from
    0; dayofweek from Monday = 0.
    """

    Params = DatePartParams
    EXAMPLE: ClassVar = Example(
        params={"column": "at", "parts": {"hour": "hour", "dayofweek": "weekday"}},
        types={"at": ColumnType(DType.DATETIME)},
        given={"at": ["2024-03-01T10:15:00", None]},
        gives={"hour": [10, None], "weekday": [4, None]},
    )

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Needs a datetime, and another column for each part."""
        name, parts = self.params.column, self.params.parts
        if name in columns and columns[name].dtype is not DType.DATETIME:
            found = columns[name]
            columns.problem("column", f"column '{name}' is {found}; turn it by ToDatetime first")
        else:
            columns.need("column", name, (DType.DATETIME,))
        distinct(columns, ((f"parts.{part}", into) for part, into in parts.items()))
        return Signature((name,), {into: ColumnType(DType.INT64) for into in parts.values()})

    def process(self, batch: Batch) -> Batch:
        """Calendar arithmetic of numpy, a few passes per part."""
        column = batch[self.params.column]
        return batch.with_columns(
            {into: part(column, name) for name, into in self.params.parts.items()}
        )
