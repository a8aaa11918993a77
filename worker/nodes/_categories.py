"""Categories in a fixed order, as `OneHotEncoder` and `OrdinalEncoder` take them."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field, StrictBool, StrictInt, StrictStr

from worker.batch import DType
from worker.nodes._lookup import Lookup, fit_items
from worker.nodes._names import MAX_ENTRIES
from worker.nodes.base import Columns

Category: TypeAlias = StrictStr | StrictBool | StrictInt

Categories: TypeAlias = Annotated[
    dict[str, Annotated[list[Category], Field(min_length=1, max_length=MAX_ENTRIES)]],
    Field(min_length=1, max_length=MAX_ENTRIES),
]
"""Column -> its categories, of the column's own type."""

_DTYPES = frozenset({DType.TEXT, DType.INT64, DType.BOOL})


def category_lookup(columns: Columns, name: str, categories: list[Category]) -> Lookup:
    """Codes of the categories, of which the param at ``columns.<name>`` is the list.

    Notes as problems an unknown or unfit column, a category of another type, and a repeated one.
    """
    path = f"columns.{name}"
    dtype = columns.need(path, name, _DTYPES).dtype
    if name not in columns or columns[name].dtype is not dtype:
        return Lookup([], dtype)
    return Lookup(fit_items(columns, path, categories, dtype), dtype)
