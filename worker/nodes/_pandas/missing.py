"""Operations about missing values: fillna, isna, notna."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import Field, model_validator

from worker.batch import Column, DType
from worker.nodes._changes import Change, filled
from worker.nodes._fit import Scalar
from worker.nodes._names import MAX_ENTRIES
from worker.nodes._pandas.operation import (
    Kwargs,
    Named,
    NoKwargs,
    Operation,
    PerColumn,
    as_is,
    fits,
    fitted,
)
from worker.nodes.base import Columns

PerName = Annotated[dict[str, Scalar], Field(min_length=1, max_length=MAX_ENTRIES)]


class FillKwargs(Kwargs):
    """The value, or column -> value."""

    value: Scalar | PerName

    @model_validator(mode="before")
    @classmethod
    def _constant(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("method") is not None:
            raise ValueError(
                "method fills from the rows beside it, and events are scored one by "
                "one; give a value"
            )
        return data

    def named(self) -> Named:
        """The columns of a mapping."""
        if not isinstance(self.value, dict):
            return []
        return [(f"kwargs.value.{name}", name) for name in self.value]

    def suits(self, dtype: DType) -> bool:
        """Whether the value can stand in the column."""
        return fits(self.value, dtype)


def _fillna(columns: Columns, kwargs: FillKwargs, name: str, dtype: DType) -> Change:
    path, value = "value", kwargs.value
    if isinstance(value, dict):
        path = f"value.{name}"
        if name not in value:
            columns.problem("kwargs.value", f"has no value for column '{name}'", sure=True)
            return Change(dtype, as_is)
        value = value[name]
    fill: Any = fitted(columns, path, value, dtype)
    return Change(dtype, lambda column: filled(column, fill))


def _isna(_: Columns, __: NoKwargs, ___: str, ____: DType) -> Change:
    return Change(DType.BOOL, lambda column: Column(column.missing))


def _notna(_: Columns, __: NoKwargs, ___: str, ____: DType) -> Change:
    return Change(DType.BOOL, lambda column: Column(np.logical_not(column.missing)))


OPERATIONS: dict[str, Operation[Any]] = {
    "fillna": PerColumn(FillKwargs, "a constant, or one per column, where it is missing", _fillna),
    "isna": PerColumn(NoKwargs, "whether it is missing", _isna),
    "notna": PerColumn(NoKwargs, "whether it is present", _notna),
}
