"""Filter: keep the rows that fulfil a condition."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from worker.batch import ANY, NUMBERS, Batch, Column, ColumnType, DType, Mask, Rows
from worker.nodes._fit import Scalar, fit, fit_bound
from worker.nodes._lookup import FIRST, UNKNOWN, Lookup, fit_items
from worker.nodes._names import MAX_ENTRIES
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature

Values = Annotated[list[Scalar], Field(min_length=1, max_length=MAX_ENTRIES)]
Condition = Callable[[Column], Mask]

_COMPARE: dict[str, Callable[[Any, Any], Mask]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
_MEMBER: dict[str, Callable[[Rows], Mask]] = {
    "in": lambda codes: codes >= FIRST,
    "not_in": lambda codes: codes == UNKNOWN,
}
_MISSING: dict[str, Condition] = {
    "missing": lambda column: column.missing,
    "not_missing": lambda column: ~column.missing,
}
_ORDERED = NUMBERS | {DType.DATETIME}


class FilterParams(Params):
    """The condition under which a row stays, and the reason that others are counted under."""

    column: str
    op: Literal["eq", "ne", "lt", "le", "gt", "ge", "in", "not_in", "missing", "not_missing"]
    value: Scalar | Values | None = None
    reason: Annotated[str, Field(min_length=1, max_length=80)]


class Filter(Node[FilterParams]):
    """Keeps the rows whose value fulfils the condition and drops the others with ``reason``.

    A missing value fulfils only ``missing``, so ``ne`` and ``not_in`` drop it too. ``value`` is of
    the column's type: a list for ``in`` and ``not_in``, ISO 8601 text for a datetime, none for
    ``missing`` and ``not_missing``. Order is defined for numbers and datetimes. Columns are
    ``(n,)``; ``missing`` and ``not_missing`` take vectors too.
    """

    Params = FilterParams
    EXAMPLE: ClassVar = Example(
        params={"column": "amount", "op": "gt", "value": 0, "reason": "no_amount"},
        types={"amount": ColumnType(DType.FLOAT64)},
        given={"amount": [12.5, 0.0, None]},
        gives={"amount": [12.5]},
    )

    _holds: Condition

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """The value must be of the column's type, and given only where the condition has one."""
        op = self.params.op
        if op in _MISSING:
            self._holds = self._check_missing(columns)
        elif op in _MEMBER:
            self._holds = self._check_member(columns)
        else:
            self._holds = self._check_compared(columns)
        return Signature((self.params.column,), {})

    def _check_missing(self, columns: Columns) -> Condition:
        columns.need("column", self.params.column, ANY, vector=None)
        if self.params.value is not None:
            columns.problem("value", f"{self.params.op} takes no value; remove it", sure=True)
        return _MISSING[self.params.op]

    def _check_member(self, columns: Columns) -> Condition:
        dtype = columns.need("column", self.params.column, ANY).dtype
        value, member = self.params.value, _MEMBER[self.params.op]
        if not isinstance(value, list):
            columns.problem("value", f"{self.params.op} needs a list of values", sure=True)
            value = []
        lookup = Lookup(fit_items(columns, "value", value, dtype), dtype)
        return lambda column: member(lookup.codes(column))

    def _check_compared(self, columns: Columns) -> Condition:
        op, value, compare = self.params.op, self.params.value, _COMPARE[self.params.op]
        by_order = op not in ("eq", "ne")
        dtype = columns.need("column", self.params.column, _ORDERED if by_order else ANY).dtype
        if value is None or isinstance(value, list):
            columns.problem("value", f"{op} needs one value", sure=True)
            return _MISSING["missing"]
        try:
            fitted = fit_bound(value, dtype) if by_order else fit(value, dtype)
        except ValueError as error:
            columns.problem("value", str(error))
            return _MISSING["missing"]
        return lambda column: compare(column.values, fitted) & ~column.missing

    def process(self, batch: Batch) -> Batch:
        """One comparison, or one dict access per row for lists."""
        return batch.drop(~self._holds(batch[self.params.column]), self.params.reason)
