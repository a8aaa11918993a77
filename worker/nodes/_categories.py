"""Categories in a fixed order, as `OneHotEncoder` and `OrdinalEncoder` take them."""

from __future__ import annotations

from collections.abc import Set
from typing import Annotated, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, StrictBool, StrictInt, StrictStr

from worker.batch import DType, Rows
from worker.nodes._lookup import FIRST, Lookup, fit_items
from worker.nodes._names import MAX_ENTRIES
from worker.nodes.base import Columns

Category: TypeAlias = StrictStr | StrictBool | StrictInt

Categories: TypeAlias = Annotated[
    dict[str, Annotated[list[Category], Field(min_length=1, max_length=MAX_ENTRIES)]],
    Field(min_length=1, max_length=MAX_ENTRIES),
]
"""Column -> its categories, of the column's own type."""

CATEGORICAL = frozenset({DType.TEXT, DType.INT64, DType.BOOL})
"""Column dtypes that have categories."""


def category_lookup(columns: Columns, name: str, categories: list[Category]) -> Lookup:
    """Codes of the categories, of which the param at ``columns.<name>`` is the list.

    Notes as problems an unknown or unfit column, a category of another type, and a repeated one.
    """
    path = f"columns.{name}"
    dtype = columns.need(path, name, CATEGORICAL).dtype
    return Lookup(fit_items(columns, path, categories, dtype), dtype)


class Claims:
    """The new columns of several sources, each name once."""

    def __init__(self, columns: Columns, removed: Set[str]) -> None:
        """Takes what reaches the node, and which of those columns it removes."""
        self._columns, self._removed = columns, removed
        self.sources: dict[str, str] = {}

    def claim(self, path: str, name: str, source: str) -> None:
        """Gives ``name`` to ``source``; notes where it is reserved, or another has it."""
        if name.startswith("@"):
            message = f"the new column '{name}': names that begin with @ are reserved"
            self._columns.problem(path, message, sure=True)
        owner = self.sources.setdefault(name, source)
        if owner != source:
            message = f"'{name}' is also a new column of '{owner}'; Rename one of them"
            self._columns.problem(path, message)
        elif name in self._columns and name not in self._removed:
            message = f"the new column '{name}' would replace another; Rename or Drop that"
            self._columns.problem(path, message)


def one_hot(codes: Rows, k: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """``(k, n)`` with a 1 at each category's row; none for missing and unknown values."""
    # A row per category keeps each new column contiguous.
    block = np.zeros((FIRST + k, len(codes)), dtype=dtype)
    block[codes, np.arange(len(codes))] = 1
    return block[FIRST:]
