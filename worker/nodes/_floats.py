"""Columns as float64, the form in which nodes calculate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from worker.batch import Column


def as_float64(column: Column) -> NDArray[np.float64]:
    """The values as float64, NaN where missing; shape as the column's.

    May be the column's own read-only array. int64 beyond 2^53 is rounded to the nearest float64.
    """
    values: NDArray[np.float64] = column.values.astype(np.float64, copy=False)
    if column.valid is not None:  # never a float column, so the array above is a copy
        values[~column.valid] = np.nan
    return values


def finite_or_nan(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same array, in which NaN (missing) now stands for whatever was not finite."""
    finite = np.isfinite(values)
    if not finite.all():
        values[~finite] = np.nan
    return values
