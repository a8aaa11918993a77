"""pandas itself as the truth: the same column, the same operation, the same values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from tests.nodes.support import run
from worker.batch import Batch, DType

Items = list[Any]

TEXT = pd.StringDtype("python", na_value=np.nan)
"""pandas' own text dtype, with Python's str methods."""

floats = st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False, width=64))
plain = st.lists(st.none() | st.floats(-1e9, 1e9))
smalls = st.lists(st.none() | st.integers(-(2**53), 2**53))
wholes = st.lists(st.integers(-(2**63), 2**63 - 1))
bools = st.lists(st.none() | st.booleans())
words = st.text("aAbB", max_size=4) | st.text(
    alphabet=st.sampled_from("aAbBß İxyz01 .-é\t"), max_size=6
)
texts = st.lists(st.none() | words | st.text(max_size=4))
instants = st.lists(st.none() | st.integers(-62_135_596_800_000, 253_402_300_799_999))

COLUMNS: dict[DType, st.SearchStrategy[Items]] = {
    DType.FLOAT64: floats,
    DType.INT64: smalls | wholes,
    DType.BOOL: bools,
    DType.TEXT: texts,
    DType.DATETIME: instants,
}


def series(items: Items, dtype: DType) -> pd.Series[Any]:
    """The column as a frame read from events has it: whole numbers with gaps are floats."""
    if dtype is DType.TEXT:
        return pd.Series(items, dtype=TEXT)
    if dtype is DType.DATETIME:
        return pd.Series(np.array(stamps(items), dtype="datetime64[ms]"))
    if dtype is DType.BOOL:
        return pd.Series(items, dtype=object if None in items else bool)
    whole = dtype is DType.INT64 and None not in items
    return pd.Series(items, dtype=np.int64 if whole else np.float64)


def stamps(items: Items) -> Items:
    """Milliseconds as numpy's points in time."""
    return [np.datetime64("NaT") if i is None else np.datetime64(i, "ms") for i in items]


def values(found: pd.Series[Any]) -> Items:
    """Python values, None where missing."""
    return [None if pd.isna(item) else item for item in found.tolist()]


def finite(found: pd.Series[Any]) -> Items:
    """The same, None also where it is infinite."""
    return [None if item is None or not np.isfinite(item) else item for item in values(found)]


def ours(operation: str, items: Items, dtype: DType, /, **kwargs: Any) -> Batch:
    """The batch after the operation; the result is the column ``y``."""
    given = stamps(items) if dtype is DType.DATETIME else items
    params = {"import": operation, "kwargs": kwargs, "cols": "x", "into": "y"}
    return run("Pandas", params, {"x": dtype}, {"x": given})


def result(operation: str, items: Items, dtype: DType, /, **kwargs: Any) -> Items:
    """The operation's values, None where missing; no row may be rejected."""
    after = ours(operation, items, dtype, **kwargs)
    assert after.marks == ()
    column = after["y"]
    if column.type.dtype is DType.DATETIME:
        held = column.values.astype(np.int64).tolist()
        return [None if gone else ms for gone, ms in zip(column.missing, held, strict=True)]
    return column.to_list()


Pandas = Callable[["pd.Series[Any]"], "pd.Series[Any]"]
