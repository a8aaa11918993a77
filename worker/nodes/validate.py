"""Validate: rows that break a rule become dead letters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field, StrictBool, StrictStr

from worker.batch import ANY, NUMBERS, Batch, Column, ColumnType, DType, Mask
from worker.errors import Stage
from worker.nodes._fit import Number, Scalar, fit_bound
from worker.nodes._lookup import UNKNOWN, Lookup, fit_items
from worker.nodes._names import MAX_ENTRIES
from worker.nodes._values import shown
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature

_ORDERED = NUMBERS | {DType.DATETIME}


class Rule(Params):
    """What a value must be: between ``min`` and ``max``, both included, and one of ``allowed``.

    Bounds are numbers, or ISO 8601 text for a datetime.
    """

    min: Number | StrictStr | None = None
    max: Number | StrictStr | None = None
    allowed: Annotated[list[Scalar], Field(min_length=1, max_length=MAX_ENTRIES)] | None = None
    required: StrictBool = False


class ValidateParams(Params):
    """Column -> its rule."""

    rules: dict[str, Rule] = Field(min_length=1, max_length=MAX_ENTRIES)


@dataclass(frozen=True, slots=True)
class _Demand:
    """One thing a rule demands of one column.

    Attributes:
        column: its name.
        broken: the rows that do not meet it.
        error: what the dead letter is called.
        fault: the message after the column and the value.
    """

    column: str
    broken: Callable[[Column], Mask]
    error: str
    fault: str

    def message(self, value: object) -> str:
        """For people; a missing value is not shown."""
        told = "" if value is None else f" {shown(value)}"
        return f"column '{self.column}':{told} {self.fault}; correct the event or the rule"


class Validate(Node[ValidateParams]):
    """Rejects rows that break a rule, in stage ``validate``, with the first rule they break.

    The errors are MissingError, RangeError and AllowedError. A missing value breaks only
    ``required``. ``min`` and ``max`` hold for numbers and datetimes, ``allowed`` for ``(n,)``
    scalars of any dtype, ``required`` for vectors too.
    """

    Params = ValidateParams
    EXAMPLE: ClassVar = Example(
        params={"rules": {"age": {"min": 0, "max": 120}, "sex": {"allowed": ["f", "m"]}}},
        types={"age": ColumnType(DType.FLOAT64), "sex": ColumnType(DType.TEXT)},
        given={"age": [31.0, -1.0, None, 31.0], "sex": ["f", "f", None, "?"]},
        gives={"age": [31.0, None], "sex": ["f", None]},
    )

    _demands: list[_Demand]

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Every rule must demand something, of the column's type."""
        self._demands = []
        for name, rule in self.params.rules.items():
            demands = list(_demands(columns, name, rule))
            if rule == Rule():
                columns.problem(
                    f"rules.{name}", "give min, max, allowed or required: true", sure=True
                )
            self._demands += demands
        return Signature(tuple(self.params.rules), {})

    def process(self, batch: Batch) -> Batch:
        """One pass per demand; a row is rejected for the first one it does not meet."""
        result = batch
        rejected = np.zeros(len(batch), dtype=np.bool_)
        for demand in self._demands:
            column = batch[demand.column]
            broken = demand.broken(column) & ~rejected
            if broken.any():
                rejected |= broken
                messages = [demand.message(value) for value in column.take(broken).to_list()]
                result = result.reject(broken, demand.error, messages, Stage.VALIDATE)
        return result


def _demands(columns: Columns, name: str, rule: Rule) -> Iterator[_Demand]:
    """What the rule demands, in the order in which it is tested; notes what does not fit."""
    path = f"rules.{name}"
    ordered = rule.min is not None or rule.max is not None
    scalar = ordered or rule.allowed is not None
    wanted = _ORDERED if ordered else ANY
    dtype = columns.need(path, name, wanted, vector=False if scalar else None).dtype
    if rule.required:
        yield _Demand(name, lambda column: column.missing, "MissingError", "is missing")
    low = _bound(columns, f"{path}.min", rule.min, dtype)
    high = _bound(columns, f"{path}.max", rule.max, dtype)
    if low is not None and high is not None and low > high:
        columns.problem(f"{path}.min", f"min {rule.min} is above max {rule.max}")
    if low is not None:
        below = f"is below min {rule.min}"
        yield _Demand(name, lambda c: (c.values < low) & ~c.missing, "RangeError", below)
    if high is not None:
        above = f"is above max {rule.max}"
        yield _Demand(name, lambda c: (c.values > high) & ~c.missing, "RangeError", above)
    if rule.allowed is not None:
        lookup = Lookup(fit_items(columns, f"{path}.allowed", rule.allowed, dtype), dtype)
        fault = f"is not one of the {len(rule.allowed)} allowed values"
        yield _Demand(name, lambda c: lookup.codes(c) == UNKNOWN, "AllowedError", fault)


def _bound(columns: Columns, path: str, value: Number | str | None, dtype: DType) -> Any:
    if value is None:
        return None
    try:
        return fit_bound(value, dtype)
    except ValueError as error:
        columns.problem(path, str(error))
        return None
