"""Finds column values among the keys of a param, by one dict access per row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from worker.batch import Column, DType, Rows
from worker.nodes._fit import Scalar, fit, fit_key
from worker.nodes.base import Columns

MISSING, UNKNOWN, FIRST = 0, 1, 2
"""Codes of a missing value, of one that is no key, and of the first key; then key by key."""

_FEW = 32
"""Rows up to which a list is counted faster than an array: one row in 0.2 us instead of 2."""


class Lookup:
    """A code for each row: which key the value is, or that it is unknown or missing."""

    def __init__(self, keys: Sequence[Any], dtype: DType) -> None:
        """Builds the dict once.

        Args:
            keys: fitted to ``dtype``, without repetition.
            dtype: of the columns to come.
        """
        held = Column.of(keys, dtype).values.tolist()
        self._codes = {key: code for code, key in enumerate(held, FIRST)}

    def codes(self, column: Column) -> Rows:
        """``(n,)`` `MISSING`, `UNKNOWN`, or `FIRST` + the key's position, for ``(n,)`` scalars."""
        values = column.values.tolist()
        found = map(self._codes.get, values, repeat(UNKNOWN))
        codes = np.fromiter(found, np.int64, len(values))
        codes[column.missing] = MISSING
        return codes


def unknowns(codes: Rows) -> int:
    """How many values are none of the keys."""
    if len(codes) <= _FEW:
        listed: list[int] = codes.tolist()
        return listed.count(UNKNOWN)
    return int(np.count_nonzero(codes == UNKNOWN))


def fit_keys(columns: Columns, path: str, keys: Iterable[Scalar], dtype: DType) -> list[Any]:
    """The keys of a mapping as ``dtype``; notes those that do not fit or occur twice."""
    return _fit_each(columns, [(f"{path}.{key}", key) for key in keys], dtype, keyed=True)


def fit_items(columns: Columns, path: str, items: Iterable[Scalar], dtype: DType) -> list[Any]:
    """The items of a list as ``dtype``; notes those that do not fit or occur twice."""
    paths = [(f"{path}[{i}]", item) for i, item in enumerate(items)]
    return _fit_each(columns, paths, dtype, keyed=False)


def _fit_each(
    columns: Columns, paths: list[tuple[str, Scalar]], dtype: DType, *, keyed: bool
) -> list[Any]:
    fitted: dict[Any, str] = {}
    given: dict[tuple[type, Scalar], str] = {}
    for path, value in paths:
        same = given.setdefault((type(value), value), path)
        if same != path:
            columns.problem(path, f"the same value as {same}", sure=True)
            continue
        try:
            held = fit_key(value, dtype) if keyed else fit(value, dtype)
        except ValueError as error:
            columns.problem(path, str(error))
            continue
        if held in fitted:
            columns.problem(path, f"the same value as {fitted[held]}")
        fitted[held] = path
    return list(fitted)
