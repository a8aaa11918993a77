"""Operations that change values in their column: replace and astype."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from worker.batch import ANY, FLOATS, Column, DType, Mask
from worker.nodes._casting import convert
from worker.nodes._changes import Change
from worker.nodes._fit import Scalar
from worker.nodes._names import MAX_ENTRIES
from worker.nodes._pandas.operation import Kwargs, Named, Operation, PerColumn, as_is, fits
from worker.nodes._tables import Replacement
from worker.nodes._values import is_number
from worker.nodes.base import Columns

Table = Annotated[dict[Scalar, Scalar | None], Field(min_length=1, max_length=MAX_ENTRIES)]
Tables = Annotated[dict[str, Table], Field(min_length=1, max_length=MAX_ENTRIES)]
Listed = Annotated[list[Scalar], Field(min_length=1, max_length=MAX_ENTRIES)]
DTypeName = Literal["int", "int64", "float", "float64", "float32", "str", "string", "bool"]

_DTYPES: dict[str, DType] = {
    "int": DType.INT64,
    "float": DType.FLOAT64,
    "str": DType.TEXT,
    "string": DType.TEXT,
}


class ReplaceKwargs(Kwargs):
    """What is replaced and by what: values and a value, or a mapping, or one per column."""

    to_replace: Scalar | Listed | Table | Tables
    value: Scalar | Listed | None = None
    regex: Literal[False] = False

    @model_validator(mode="after")
    def _paired(self) -> ReplaceKwargs:
        given, value = self.to_replace, self.value
        if isinstance(given, dict):
            if "value" in self.model_fields_set:
                raise ValueError("a mapping holds its values already; remove value")
        elif "value" not in self.model_fields_set:
            raise ValueError("value is required, unless to_replace is a mapping")
        elif isinstance(value, list) and not (isinstance(given, list) and len(given) == len(value)):
            raise ValueError("to_replace and value must be lists of one length")
        return self

    def named(self) -> Named:
        """The columns of a mapping per column."""
        tables = self._per_column()
        return [(f"kwargs.to_replace.{name}", name) for name in tables or ()]

    def suits(self, dtype: DType) -> bool:
        """Whether a column of this dtype can hold any of the values and their replacements."""
        values = [v for pair in self.table("").items() for v in pair if v is not None]
        return all(fits(value, dtype) for value in values)

    def table(self, name: str) -> dict[Any, Any]:
        """Value -> replacement, for a column."""
        tables, given, value = self._per_column(), self.to_replace, self.value
        if tables is not None:
            return dict(tables.get(name, {}))
        if isinstance(given, dict):
            return given
        keys = given if isinstance(given, list) else [given]
        return dict(
            zip(keys, value if isinstance(value, list) else [value] * len(keys), strict=True)
        )

    def _per_column(self) -> dict[str, Any] | None:
        given = self.to_replace
        if isinstance(given, dict) and any(isinstance(v, dict) for v in given.values()):
            return {str(name): table for name, table in given.items()}
        return None


class AstypeKwargs(Kwargs):
    """The new dtype, or column -> dtype."""

    dtype: DTypeName | Annotated[dict[str, DTypeName], Field(min_length=1, max_length=MAX_ENTRIES)]
    errors: Literal["raise"] = "raise"

    def named(self) -> Named:
        """The columns of a mapping."""
        if not isinstance(self.dtype, dict):
            return []
        return [(f"kwargs.dtype.{name}", name) for name in self.dtype]


def _replace(columns: Columns, kwargs: ReplaceKwargs, name: str, dtype: DType) -> Change:
    table = kwargs.table(name)
    if not table:
        columns.problem("kwargs.to_replace", f"has nothing for column '{name}'", sure=True)
        return Change(dtype, as_is)
    return Change(dtype, Replacement(columns, "kwargs.to_replace", table, dtype))


def _astype(columns: Columns, kwargs: AstypeKwargs, name: str, dtype: DType) -> Change:
    wanted = kwargs.dtype.get(name) if isinstance(kwargs.dtype, dict) else kwargs.dtype
    if wanted is None:
        columns.problem("kwargs.dtype", f"has no dtype for column '{name}'", sure=True)
        return Change(dtype, as_is)
    target = _DTYPES.get(wanted) or DType(wanted)
    if dtype is not target:
        _refuse(columns, name, dtype, target)
    if dtype is DType.BOOL and target is DType.TEXT:
        return Change(target, _bool_to_text)
    vanishes = _numbers if target in FLOATS else None
    return Change(
        target, lambda column: convert(column, target)[0], error="CastError", vanishes=vanishes
    )


def _numbers(column: Column) -> Mask:
    """Numbers that are missing as a float: nan, infinity, and what is beyond float32."""
    if column.type.dtype is not DType.TEXT:
        return np.ones(len(column), dtype=np.bool_)
    found = (text is not None and is_number(text) for text in column.values)
    return np.fromiter(found, np.bool_, len(column))


def _refuse(columns: Columns, name: str, dtype: DType, target: DType) -> None:
    """Where pandas' result is a trap or depends on its version."""
    way_out = ""
    if dtype is DType.DATETIME:
        way_out = "its result depends on pandas' own units; use Cast, or a part such as dt.hour"
    elif dtype is DType.TEXT and target is DType.BOOL:
        way_out = "for pandas every text but the empty one is true; use map, or Cast"
    if way_out:
        message = f"column '{name}' is {dtype} and cannot become {target}: {way_out}"
        columns.problem("kwargs.dtype", message)


def _bool_to_text(column: Column) -> Column:
    words = np.array(["False", "True"], dtype=object)
    return Column(words[column.values.astype(np.intp)], column.valid)


OPERATIONS: dict[str, Operation[Any]] = {
    "replace": PerColumn(
        ReplaceKwargs,
        "with some values replaced; the others stay",
        _replace,
        ANY - {DType.DATETIME},
    ),
    "astype": PerColumn(AstypeKwargs, "in another dtype", _astype),
}
