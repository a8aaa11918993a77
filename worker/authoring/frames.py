"""A pandas DataFrame as a batch of typed columns, and back."""

from __future__ import annotations

import datetime
import math
import numbers
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from worker.authoring.extras import need
from worker.batch import Batch, Column, DType
from worker.errors import ConfigError, Problem

if TYPE_CHECKING:
    import pandas as pd

_INT64 = np.iinfo(np.int64)


def to_batch(frame: pd.DataFrame) -> tuple[Batch, dict[str, str]]:
    """The columns that nodes can work on, and for the others the reason why not.

    Whole numbers become int64, text and categories text, points in time datetime in UTC; lists of
    numbers of one length become vectors. None, NaN, NaT and NA are missing.

    Raises:
        ConfigError: two columns have one name.
    """
    doubled = sorted({str(name) for name in frame.columns[frame.columns.duplicated()]})
    if doubled:
        raise ConfigError(Problem("data", f"has several columns named {', '.join(doubled)}"))
    columns, unfit = {}, {}
    for name, series in frame.items():
        if not isinstance(name, str):
            unfit[str(name)] = "its name is no text"
            continue
        try:
            columns[name] = column_of(series)
        except (ValueError, TypeError, OverflowError) as error:
            unfit[name] = str(error)
    return Batch.of(columns, len(frame)), unfit


def column_of(series: pd.Series[Any]) -> Column:
    """One column.

    Raises:
        ValueError: no column can hold its values.
    """
    pandas = need("pandas")
    dtype = series.dtype
    valid = ~series.isna().to_numpy(dtype=np.bool_)
    if isinstance(dtype, pandas.DatetimeTZDtype):
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
        dtype = series.dtype
    if not isinstance(dtype, np.dtype):
        if pandas.api.types.is_bool_dtype(dtype):
            return Column(series.fillna(False).to_numpy(dtype=np.bool_, copy=True), valid)
        if pandas.api.types.is_integer_dtype(dtype):
            return Column(_whole(series.fillna(0).to_numpy()), valid)
        if pandas.api.types.is_float_dtype(dtype):
            return Column(series.to_numpy(dtype=np.float64, na_value=np.nan, copy=True), valid)
        return _of_objects(series, valid)
    values = series.to_numpy()
    if dtype.kind == "f":
        wanted = np.float32 if dtype.itemsize <= 4 else np.float64
        return Column(np.array(values, dtype=wanted))
    if dtype.kind in "iu":
        return Column(_whole(values))
    if dtype.kind == "b":
        return Column(np.array(values))
    if dtype.kind == "M":
        return Column(values.astype("datetime64[ms]"))
    if dtype.kind == "O":
        return _of_objects(series, valid)
    raise ValueError(f"{dtype} is nothing that an event can hold")


def _whole(values: NDArray[Any]) -> NDArray[np.int64]:
    if values.dtype.kind == "u" and len(values) and int(values.max()) > _INT64.max:
        raise ValueError("a number is outside int64")
    return np.array(values, dtype=np.int64)


def _of_objects(series: pd.Series[Any], valid: NDArray[np.bool_]) -> Column:
    """Python objects, by what those that are present have in common."""
    items = [item if present else None for item, present in zip(series, valid, strict=True)]
    present = [item for item in items if item is not None]
    if all(isinstance(item, str) for item in present):
        return Column.of(items, DType.TEXT)
    if all(isinstance(item, (bool, np.bool_)) for item in present):
        return Column.of(items, DType.BOOL)
    if any(isinstance(item, (bool, np.bool_)) for item in present):
        raise ValueError("holds true and false beside other values")
    if all(isinstance(item, numbers.Integral) for item in present):
        return Column.of([None if i is None else int(i) for i in items], DType.INT64)
    if all(isinstance(item, numbers.Real) for item in present):
        return Column.of([None if i is None else float(i) for i in items], DType.FLOAT64)
    if all(isinstance(item, (list, tuple, np.ndarray)) for item in present):
        return _of_vectors(items, present)
    if all(isinstance(item, (datetime.date, np.datetime64)) for item in present):
        stamps = need("pandas").to_datetime(series, utc=True).dt.tz_localize(None)
        return Column(stamps.to_numpy().astype("datetime64[ms]"))
    if all(isinstance(item, dict) for item in present):
        raise ValueError("holds objects; JsonToDataframe makes columns of them")
    kinds = ", ".join(sorted({type(item).__name__ for item in present}))
    raise ValueError(f"holds {kinds}; a column has text, numbers, true/false or points in time")


def _of_vectors(items: list[Any], present: list[Any]) -> Column:
    lengths = {len(item) for item in present}
    if len(lengths) != 1:
        raise ValueError("holds lists of several lengths")
    missing = [math.nan] * lengths.pop()
    return Column(np.array([missing if i is None else i for i in items], dtype=np.float64))


def series_of(column: Column, name: str, index: pd.Index[Any]) -> pd.Series[Any]:
    """A column as pandas has it; whole numbers and bool with gaps as Int64 and boolean."""
    pandas = need("pandas")
    kind = column.type
    if kind.length is not None:
        rows: list[Any] = column.values.tolist()
        rows = [None if gone else row for gone, row in zip(column.missing, rows, strict=True)]
        return pandas.Series(rows, index=index, name=name, dtype=object)  # type: ignore[no-any-return]
    if kind.dtype is DType.TEXT:
        items = column.to_list()
        known = any(item is not None for item in items)
        dtype = None if known else object
        return pandas.Series(items, index=index, name=name, dtype=dtype)  # type: ignore[no-any-return]
    found = pandas.Series(np.array(column.values), index=index, name=name)
    if column.valid is not None:
        found = found.astype("Int64" if kind.dtype is DType.INT64 else "boolean")
        found = found.mask(column.missing)
    return found  # type: ignore[no-any-return]


def to_frame(before: pd.DataFrame, given: Batch, after: Batch, unfit: set[str]) -> pd.DataFrame:
    """The table after a node: what it did not touch is as it was, rows that left are not there.

    A column that only has another name keeps its place, as in pandas.

    Args:
        before: the table that the node was given.
        given: its columns.
        after: what the node made of them.
        unfit: columns that no node can work on; they are passed on.
    """
    pandas = need("pandas")
    whole = len(after) == len(given)
    rows = before if whole else before.iloc[after.rows]
    parts = {}
    for name in before.columns:
        if str(name) in unfit or (name in after.columns and _is_same(given, after, name)):
            parts[name] = rows[name]
        elif name in after.columns:
            parts[name] = series_of(after[name], name, rows.index)
        else:
            parts |= {new: rows[name].rename(new) for new in _renamed(given, after, name)}
    for name, column in after.columns.items():
        if name not in parts:
            parts[name] = series_of(column, name, rows.index)
    return pandas.DataFrame(parts, index=rows.index)  # type: ignore[no-any-return]


def _renamed(given: Batch, after: Batch, name: str) -> list[str]:
    """The names that a column has now which is no longer there under its own."""
    return [
        new
        for new, column in after.columns.items()
        if column is given[name] and new not in given.columns
    ]


def _is_same(given: Batch, after: Batch, name: str) -> bool:
    """Whether a column is what it was, but for rows that left."""
    if after[name] is given[name]:
        return True
    kept, made = given[name].take(after.rows), after[name]
    equal_nan = made.values.dtype.kind in "fM"
    return (
        kept.type == made.type
        and bool(np.array_equal(kept.missing, made.missing))
        and bool(np.array_equal(kept.values, made.values, equal_nan=equal_nan))
    )
