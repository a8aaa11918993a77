"""Values in params: kept as they are written, then fitted to a column's dtype."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from pydantic import StrictBool, StrictFloat, StrictInt, StrictStr

from worker.batch import NUMBERS, DType
from worker.nodes._values import parse_bool, parse_float, parse_instant, parse_int, shown

Number = StrictInt | StrictFloat
"""A number that is written as one: neither true nor "1"."""

Scalar = StrictBool | StrictInt | StrictFloat | StrictStr
"""A value of any type: text "1" stays text, true stays true."""

Invalid = Literal["reject", "missing"]
"""What becomes of a value that cannot be converted: its row is a dead letter, or it is missing."""

_INT64 = np.iinfo(np.int64)


def fit(value: Scalar, dtype: DType) -> Any:
    """The value as a column of ``dtype`` holds it; ISO 8601 text becomes a datetime64[ms].

    Raises:
        ValueError: of another type, or out of range.
    """
    if dtype is DType.TEXT and isinstance(value, str):
        return value
    if dtype is DType.BOOL and isinstance(value, bool):
        return value
    if dtype is DType.DATETIME and isinstance(value, str):
        return np.datetime64(parse_instant(value), "ms")
    if dtype in NUMBERS and isinstance(value, (int, float)) and not isinstance(value, bool):
        return _fit_number(value, dtype)
    way_out = "; put it in quotes" if dtype is DType.TEXT else ""
    raise ValueError(f"{shown(value)} is no {dtype}{way_out}")


def _fit_number(value: float, dtype: DType) -> float:
    if dtype is DType.INT64:
        if value != int(value):
            raise ValueError(f"{shown(value)} is not whole, and the column is int64")
        if not _INT64.min <= value <= _INT64.max:
            raise ValueError(f"{shown(value)} is outside int64")
        return int(value)
    try:
        with np.errstate(over="ignore"):
            fitted = float(np.float32(value) if dtype is DType.FLOAT32 else value)
    except OverflowError:
        fitted = math.inf
    if not math.isfinite(fitted):
        raise ValueError(f"{shown(value)} is outside {dtype}")
    return fitted


def fit_bound(value: Scalar, dtype: DType) -> Any:
    """Like `fit`, for comparisons by order: an int64 column may be compared with 1.5.

    Raises:
        ValueError: of another type, or out of range.
    """
    if dtype is DType.INT64 and isinstance(value, float) and value != int(value):
        return value
    return fit(value, dtype)


def fit_key(key: Scalar, dtype: DType) -> Any:
    """Like `fit`, for keys of mappings, which JSON writes as text: ``"1"`` fits int64.

    Raises:
        ValueError: of another type, or out of range.
    """
    if isinstance(key, str) and dtype is DType.INT64:
        return parse_int(key)
    if isinstance(key, str) and dtype is DType.BOOL:
        return parse_bool(key)
    if isinstance(key, str) and dtype in NUMBERS:
        return fit(parse_float(key), dtype)
    return fit(key, dtype)


def common_dtype(values: Iterable[Scalar | None]) -> DType:
    """The dtype of a column that holds these values: text, bool, int64 or float64; None fits all.

    Raises:
        ValueError: text, numbers and true/false are mixed, or all are None.
    """
    types = {type(value) for value in values if value is not None}
    if types == {str}:
        return DType.TEXT
    if types == {bool}:
        return DType.BOOL
    if types == {int}:
        return DType.INT64
    if types and types <= {int, float}:
        return DType.FLOAT64
    raise ValueError("values must be all text, all numbers or all true/false")
