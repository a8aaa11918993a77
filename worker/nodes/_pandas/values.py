"""Operations that translate, select and compare values: map, isin, between, where, eq, ..."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, StrictStr, field_validator

from worker.batch import ANY, NUMBERS, Column, DType, Mask
from worker.nodes._changes import Change
from worker.nodes._fit import Scalar, fit_bound
from worker.nodes._lookup import FIRST, MISSING, Lookup, fit_items
from worker.nodes._names import MAX_ENTRIES
from worker.nodes._pandas.operation import (
    Kwargs,
    Operation,
    PerColumn,
    fitted,
)
from worker.nodes._tables import Translation
from worker.nodes.base import Columns

_ORDERED = NUMBERS | {DType.DATETIME}
_FUNCTION = "a graph holds no function; give a mapping, or calculate with Derive"


class MapKwargs(Kwargs):
    """Value -> result."""

    arg: Annotated[dict[Scalar, Scalar | None], Field(min_length=1, max_length=MAX_ENTRIES)]
    na_action: Literal["ignore", 0] | None = None

    @field_validator("arg", mode="before")
    @classmethod
    def _data(cls, arg: Any) -> Any:
        if isinstance(arg, str) or callable(arg):
            raise ValueError(_FUNCTION)
        return arg


class MemberKwargs(Kwargs):
    """The values, of which null is a missing one."""

    values: Annotated[list[Scalar | None], Field(max_length=MAX_ENTRIES)]


class BetweenKwargs(Kwargs):
    """Two bounds and which of them are inside."""

    left: Scalar
    right: Scalar
    inclusive: Literal["both", "neither", "left", "right"] = "both"


class OtherKwargs(Kwargs):
    """The value to compare with."""

    other: Scalar


class WhereKwargs(Kwargs):
    """A bool column, and what stands where it decides against the value; null is missing."""

    cond: StrictStr
    other: Scalar | None = None


def _map(columns: Columns, kwargs: MapKwargs, _: str, dtype: DType) -> Change:
    translation = Translation(columns, "kwargs.arg", kwargs.arg, dtype)
    return Change(translation.dtype, translation, counts=True)


def _isin(columns: Columns, kwargs: MemberKwargs, _: str, dtype: DType) -> Change:
    present = [value for value in kwargs.values if value is not None]
    lookup = Lookup(fit_items(columns, "kwargs.values", present, dtype), dtype)
    missing_too = len(present) < len(kwargs.values)

    def apply(column: Column) -> Column:
        codes = lookup.codes(column)
        return Column((codes >= FIRST) | (missing_too & (codes == MISSING)))

    return Change(DType.BOOL, apply)


def _bound(columns: Columns, path: str, value: Scalar, dtype: DType) -> Any:
    try:
        return fit_bound(value, dtype)
    except ValueError as error:
        columns.problem(f"kwargs.{path}", str(error))
        return None


def _between(columns: Columns, kwargs: BetweenKwargs, _: str, dtype: DType) -> Change:
    left = _bound(columns, "left", kwargs.left, dtype)
    right = _bound(columns, "right", kwargs.right, dtype)
    above = operator.ge if kwargs.inclusive in ("both", "left") else operator.gt
    below = operator.le if kwargs.inclusive in ("both", "right") else operator.lt

    def apply(column: Column) -> Column:
        inside = above(column.values, left) & below(column.values, right)
        return Column(inside & ~column.missing)

    return Change(DType.BOOL, apply)


def _compared(compare: Callable[[Any, Any], Mask], *, missing: bool) -> Callable[..., Change]:
    """A comparison that a missing value answers with ``missing``."""

    def make(columns: Columns, kwargs: OtherKwargs, _: str, dtype: DType) -> Change:
        other = _bound(columns, "other", kwargs.other, dtype)

        def apply(column: Column) -> Column:
            held = np.asarray(compare(column.values, other), dtype=np.bool_)
            return Column(np.where(column.missing, missing, held))

        return Change(DType.BOOL, apply)

    return make


def _where(*, keep: bool) -> Callable[..., Change]:
    """Values stay where the condition is ``keep``; a missing condition is false."""

    def make(columns: Columns, kwargs: WhereKwargs, _: str, dtype: DType) -> Change:
        columns.need("kwargs.cond", kwargs.cond, {DType.BOOL})
        gone = kwargs.other is None
        other = None if gone else fitted(columns, "other", kwargs.other, dtype)

        def apply(column: Column, cond: Column) -> Column:
            replaced = (cond.values & ~cond.missing) != keep
            if not replaced.any():
                return column
            values, valid = column.values.copy(), ~column.missing
            valid[replaced] = not gone
            if not gone:
                values[replaced] = other
            return Column(values, valid)

        return Change(dtype, apply, (kwargs.cond,))

    return make


def _compares(says: str, compare: Callable[[Any, Any], Any], *, missing: bool = False) -> Any:
    takes = ANY if compare in (operator.eq, operator.ne) else _ORDERED
    return PerColumn(OtherKwargs, says, _compared(compare, missing=missing), takes)


OPERATIONS: dict[str, Operation[Any]] = {
    "map": PerColumn(
        MapKwargs,
        "the result that a mapping has for it; what is no key becomes missing",
        _map,
        ANY - {DType.DATETIME},
    ),
    "isin": PerColumn(MemberKwargs, "whether it is one of some values", _isin),
    "between": PerColumn(BetweenKwargs, "whether it lies between two bounds", _between, _ORDERED),
    "where": PerColumn(
        WhereKwargs, "kept where a bool column is true, else a constant", _where(keep=True)
    ),
    "mask": PerColumn(
        WhereKwargs, "kept where a bool column is false, else a constant", _where(keep=False)
    ),
    "eq": _compares("whether it equals a value", operator.eq),
    "ne": _compares("whether it differs from a value", operator.ne, missing=True),
    "lt": _compares("whether it is below a value", operator.lt),
    "le": _compares("whether it is at most a value", operator.le),
    "gt": _compares("whether it is above a value", operator.gt),
    "ge": _compares("whether it is at least a value", operator.ge),
}
