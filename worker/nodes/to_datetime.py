"""ToDatetime: text or epoch numbers to points in time."""

from __future__ import annotations

from typing import ClassVar, Literal

from worker.batch import Batch, ColumnType, DType
from worker.nodes._fit import Invalid
from worker.nodes._instants import instants
from worker.nodes._names import Target
from worker.nodes._values import shown
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature

_FACTORS = {"s": 1000, "ms": 1}


class ToDatetimeParams(Params):
    """Which column; ``unit`` is that of epoch numbers and means nothing for text."""

    column: str
    unit: Literal["s", "ms"] = "ms"
    into: Target | None = None
    invalid: Invalid = "reject"


class ToDatetime(Node[ToDatetimeParams]):
    """Reads ``(n,)`` ISO 8601 text, or int64 or float64 since 1970, as datetimes in UTC.

    Text is ``2024-03-01`` or ``2024-03-01T10:15:00.123+02:00``, with ``T`` or a blank, or one of
    ISO 8601's shorter forms (``20240301``, ``2024-W10-1``). An offset is honoured, none means UTC;
    digits below a millisecond are cut off, and floats rounded to one. What is no such text, or
    outside the years 1 to 9999, is rejected (DatetimeError), or missing with ``invalid: missing``.
    Missing stays missing.
    """

    Params = ToDatetimeParams
    EXAMPLE: ClassVar = Example(
        params={"column": "at"},
        types={"at": ColumnType(DType.TEXT)},
        given={"at": ["2024-03-01T10:15:00+02:00", None, "yesterday"]},
        gives={"at": ["2024-03-01T08:15:00.000Z", None]},
    )

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Needs text or numbers that are fine enough for an epoch, which float32 is not."""
        name = self.params.column
        if name in columns and columns[name].dtype is DType.DATETIME:
            columns.problem("column", f"column '{name}' is datetime already; remove this node")
        else:
            columns.need("column", name, (DType.TEXT, DType.INT64, DType.FLOAT64))
        return Signature((name,), {self.params.into or name: ColumnType(DType.DATETIME)})

    def process(self, batch: Batch) -> Batch:
        """One pass; only the rows that fail are looked at a second time."""
        column = batch[self.params.column]
        read = instants(column, _FACTORS[self.params.unit])
        failed = read.missing & ~column.missing
        result = batch.with_columns({self.params.into or self.params.column: read})
        if self.params.invalid == "missing" or not failed.any():
            return result
        messages = [self._message(value) for value in column.take(failed).to_list()]
        return result.reject(failed, "DatetimeError", messages)

    def _message(self, value: object) -> str:
        if isinstance(value, str):
            fault = "is no ISO 8601 date-time between the years 1 and 9999"
        else:
            fault = f"{self.params.unit} since 1970 is outside the years 1 to 9999; check unit"
        return f"column '{self.params.column}': {shown(value)} {fault}, or set invalid: missing"
