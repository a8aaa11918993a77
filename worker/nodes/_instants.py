"""Text and epoch numbers read as points in time, and which of them are none."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.batch import Column, DType, Mask, Rows
from worker.nodes._plain_instants import plain_instants
from worker.nodes._values import parse_instant, parse_instants

# The years 1 to 9999, which ISO 8601 text and Python can carry.
_FIRST_MS = parse_instant("0001-01-01")
_LAST_MS = parse_instant("9999-12-31T23:59:59.999")
_NEVER = np.iinfo(np.int64).min


def instants(column: Column, factor: int = 1, divisor: int = 1) -> Column:
    """The ``(n,)`` column as datetimes; missing stays missing, what is no point in time becomes so.

    Args:
        column: ISO 8601 text; or int64 or float64 since 1970.
        factor: milliseconds in the unit of numbers.
        divisor: units in a millisecond, for finer ones; whole numbers are cut off downwards.
    """
    missing = column.missing
    if column.type.dtype is DType.TEXT:
        read = _from_text(column.values, missing)
    else:
        read = _from_numbers(column.values, factor, divisor)
    return Column(read.astype("datetime64[ms]"), ~(missing | (read == _NEVER)))


def _from_text(values: NDArray[Any], missing: Mask) -> Rows:
    instants = np.full(len(values), _NEVER)
    texts = values[~missing].tolist()
    plain = plain_instants(texts)
    if plain is not None:
        instants[~missing] = plain
    else:
        try:
            instants[~missing] = parse_instants(texts)
        except ValueError:
            instants[~missing] = [_or_never(text) for text in texts]
    # An offset can lead out of the years 1 to 9999.
    instants[(instants < _FIRST_MS) | (instants > _LAST_MS)] = _NEVER
    return instants


def _or_never(text: str) -> int:
    try:
        return parse_instant(text)
    except ValueError:
        return int(_NEVER)


def _from_numbers(values: NDArray[Any], factor: int, divisor: int) -> Rows:
    if values.dtype.kind == "f":
        with np.errstate(over="ignore"):
            scaled = np.rint(values * factor / divisor)
        fits = (scaled >= _FIRST_MS) & (scaled <= _LAST_MS)
        return np.where(fits, np.where(fits, scaled, 0).astype(np.int64), _NEVER)
    whole = values // divisor
    fits = (whole >= _FIRST_MS // factor) & (whole <= _LAST_MS // factor)
    return np.where(fits, np.where(fits, whole, 0) * factor, _NEVER)
