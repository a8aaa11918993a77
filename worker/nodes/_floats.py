"""Columns as float64, the form in which nodes calculate."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.batch import Column, Mask

_WRAPPED = 2.0**62
"""Difference to the float result from which an int64 result has wrapped around: by 2^64."""


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


def wrapped(whole: NDArray[Any], approximate: NDArray[Any]) -> Mask:
    """Where an int64 result is not the number that the same calculation gives in float64."""
    return np.asarray(np.abs(approximate - whole) > _WRAPPED)


def round_floats(values: NDArray[Any], decimals: int) -> NDArray[Any]:
    """Rounded half to even; those that would overflow on the way stay."""
    with np.errstate(over="ignore"):
        changed = np.round(values, decimals)
    return np.where(np.isinf(changed), values, changed).astype(values.dtype, copy=False)
