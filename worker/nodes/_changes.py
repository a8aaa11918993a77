"""Changes of one column in its own dtype."""

from __future__ import annotations

from typing import Any

import numpy as np

from worker.batch import Column


def filled(column: Column, fill: Any) -> Column:
    """The column with ``fill``, fitted to its dtype, where a value is missing."""
    missing = column.missing
    if not missing.any():
        return column
    values = column.values.copy()
    values[missing] = fill
    return Column(values)


def rounded(column: Column, decimals: int) -> Column:
    """Floats rounded half to even; those that would overflow stay. int64 has no decimals."""
    values = column.values
    if values.dtype.kind != "f":
        return column
    with np.errstate(over="ignore"):
        changed = np.round(values, decimals)
    overflown = np.isinf(changed)
    if overflown.any():
        changed[overflown] = values[overflown]
    return Column(changed)


def clipped(column: Column, lower: Any, upper: Any) -> Column:
    """Numbers moved to the nearest bound; None does not bind. Missing stays missing."""
    return Column(np.clip(column.values, lower, upper), column.valid)
