"""Conversion of one column to another dtype, and which rows have no counterpart in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.batch import FLOATS, NUMBERS, Column, ColumnType, DType, Mask
from worker.nodes._changes import Change
from worker.nodes._fit import Invalid
from worker.nodes._values import parse_bool, parse_float, parse_int

_INT64_END = 2.0**63
_FROM_DATETIME = (DType.DATETIME, DType.INT64, DType.FLOAT64, DType.TEXT)

Converted = tuple[NDArray[Any], Mask]
"""Values, and a mask of the same shape: True where there is no counterpart."""


def convert(column: Column, target: DType) -> tuple[Column, Mask]:
    """The column as ``target``.

    Args:
        column: ``(n,)``, or ``(n, k)`` if both dtypes are numbers or bool.
        target: a dtype that `Cast` allows for it.

    Returns:
        The new column, in which missing values and failures are missing, and the failures ``(n,)``.
    """
    source = column.type.dtype
    missing = column.missing
    if source is target:
        return column, np.zeros(len(column), dtype=np.bool_)
    if source is DType.TEXT:
        values, failed = _from_text(column.values, missing, target)
    elif target is DType.TEXT:
        values, failed = _to_text(column), missing
    else:
        values, failed = _from_number(column.values, target)
    failed_rows = (failed if failed.ndim == 1 else failed.any(axis=1)) & ~missing
    return Column(values, ~(missing | failed_rows)), failed_rows


def cast(target: DType, invalid: Invalid) -> Change:
    """The conversion as a change; a value without counterpart rejects its row, or is missing."""
    error = "CastError" if invalid == "reject" else ""
    way_out = "correct the event or set invalid: missing"
    return Change(target, lambda column: convert(column, target)[0], error=error, way_out=way_out)


def obstacle(source: ColumnType, target: DType) -> str:
    """The way out where there is no conversion, else empty."""
    if source.dtype is target:
        return ""
    if target is DType.DATETIME:
        return "use ToDatetime"
    if source.dtype is DType.DATETIME and target not in _FROM_DATETIME:
        return "use DatePart, or Cast it to int64 or float64"
    numeric = NUMBERS | {DType.BOOL}
    if source.length is not None and not {source.dtype, target} <= numeric:
        return "vectors convert only between numbers and bool"
    return ""


def _from_number(values: NDArray[Any], target: DType) -> Converted:
    """Numbers, bool and datetimes (as milliseconds) to numbers and bool."""
    if values.dtype.kind == "M":
        values = values.astype(np.int64)
    wanted = ColumnType(target).numpy
    if target is DType.INT64 and values.dtype.kind == "f":
        fits = (values >= -_INT64_END) & (values < _INT64_END)
        return np.where(fits, values, 0).astype(wanted), ~fits
    if target in FLOATS:
        with np.errstate(over="ignore"):
            converted = values.astype(wanted)
        return converted, np.isinf(converted) & ~np.isinf(values)
    return values.astype(wanted), np.zeros(values.shape, dtype=np.bool_)


def _to_text(column: Column) -> NDArray[Any]:
    """Numbers as Python writes them, true and false, ISO 8601; None where missing."""
    if column.values.dtype.kind == "b":
        return np.array(["false", "true"], dtype=object)[column.values.astype(np.intp)]
    if column.values.dtype == np.float32:  # as Python floats they would show digits they lack
        return np.array(list(map(str, column.values)), dtype=object)
    return np.array([str(item) for item in column.to_list()], dtype=object)


def _from_text(values: NDArray[Any], missing: Mask, target: DType) -> Converted:
    parse, fast = _PARSERS[target]
    present = ~missing
    texts = values[present].tolist()
    numbers = _all_at_once(texts, fast, target)
    ok = np.ones(len(texts), dtype=np.bool_)
    if numbers is None:
        known = {text: _or_none(parse, text) for text in set(texts)}  # words come again and again
        each = list(map(known.__getitem__, texts))
        ok = np.array([number is not None for number in each], dtype=np.bool_)
        dtype = ColumnType(target).numpy
        with np.errstate(over="ignore"):
            numbers = np.array([0 if number is None else number for number in each]).astype(dtype)
    if target in FLOATS:
        ok &= np.isfinite(numbers)
    converted = np.zeros(len(values), dtype=ColumnType(target).numpy)
    converted[present] = numbers
    failed = np.zeros(len(values), dtype=np.bool_)
    failed[present] = ~ok
    return converted, failed


def _all_at_once(
    texts: list[str], fast: Callable[[str], Any] | None, target: DType
) -> NDArray[Any] | None:
    """The numbers where every text is plain; None where one of them has to be looked at."""
    joined = "".join(texts)
    if fast is None or "_" in joined or not joined.isascii():
        return None
    try:
        with np.errstate(over="ignore"):
            return np.array(list(map(fast, texts)), dtype=ColumnType(target).numpy)
    except (ValueError, OverflowError):
        return None


def _or_none(parse: Callable[[str], Any], text: str) -> Any:
    try:
        return parse(text)
    except ValueError:
        return None


_PARSERS: dict[DType, tuple[Callable[[str], Any], Callable[[str], Any] | None]] = {
    DType.INT64: (parse_int, int),
    DType.FLOAT32: (parse_float, float),
    DType.FLOAT64: (parse_float, float),
    DType.BOOL: (parse_bool, None),
}
"""How one text is read, and the same for texts that are known to be plain."""
