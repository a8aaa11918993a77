"""ToDatetime: text or epoch numbers to points in time."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.nodes.support import build, run
from worker.batch import Batch, DType
from worker.errors import ConfigError, Stage

FIRST_MS, LAST_MS = -62_135_596_800_000, 253_402_300_799_999

offsets = st.none() | st.integers(-14 * 60, 14 * 60).map(
    lambda minutes: timezone(timedelta(minutes=minutes))
)
moments = st.builds(
    lambda moment, offset: moment.replace(tzinfo=offset),
    st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)),
    offsets,
)
texts = st.builds(
    lambda moment, separator, spec: moment.isoformat(separator, spec).replace("+00:00", "Z"),
    moments,
    st.sampled_from("T "),
    st.sampled_from(["minutes", "seconds", "milliseconds", "microseconds"]),
)
dates = st.dates().map(str)


def read(items: list[Any], dtype: DType, **params: Any) -> Batch:
    """The column x as datetimes."""
    return run("ToDatetime", {"column": "x", **params}, {"x": dtype}, {"x": items})


def in_ms(index: pd.DatetimeIndex) -> list[int]:
    """Milliseconds since 1970, rounded down as pandas does."""
    return index.as_unit("ms").asi8.tolist()


@given(st.lists(texts | dates, min_size=1))
def test_text_equals_pandas(items: list[str]) -> None:
    """ISO 8601 dates and date-times, with and without offset, give what pandas gives."""
    expected = in_ms(pd.to_datetime(items, format="ISO8601", utc=True))
    after = read(items, DType.TEXT)
    assert after["x"].values.astype(np.int64).tolist() == expected
    assert after.marks == ()


@given(st.lists(st.integers(FIRST_MS // 1000, LAST_MS // 1000), min_size=1))
def test_seconds_equal_pandas(items: list[int]) -> None:
    """Whole seconds since 1970 give what pandas gives."""
    expected = in_ms(pd.to_datetime(np.array(items).astype("datetime64[s]"), utc=True))
    assert read(items, DType.INT64, unit="s")["x"].values.astype(np.int64).tolist() == expected


@given(st.lists(st.integers(FIRST_MS, LAST_MS), min_size=1))
def test_milliseconds_are_kept(items: list[int]) -> None:
    """Milliseconds since 1970 are the datetime, as int64 and as float64, alone and in seconds."""
    assert read(items, DType.INT64)["x"].values.astype(np.int64).tolist() == items
    floats = [float(item) for item in items]
    assert read(floats, DType.FLOAT64)["x"].values.astype(np.int64).tolist() == items
    seconds = [item / 1000 for item in items]
    assert read(seconds, DType.FLOAT64, unit="s")["x"].values.astype(np.int64).tolist() == items


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1))
def test_float_seconds_equal_pandas(items: list[int]) -> None:
    """Seconds with three digits after the point give what pandas gives, rounded to ms."""
    seconds = [item / 1000 for item in items]
    expected = in_ms(pd.to_datetime(seconds, unit="s").round("ms"))
    assert read(seconds, DType.FLOAT64, unit="s")["x"].values.astype(np.int64).tolist() == expected


BAD_TEXTS = [
    "",
    "now",
    "today",
    "NaT",
    "yesterday",
    "2024",
    "2024-13-01",
    "2024-02-30",
    "2024-03-01+10:00",
    "2024-03-01x10:00",
    "2024-03-01T25:00",
    "2024-03-01T10:00+02:00Z",
    "20240301T101500",
    "2024-03-01T10:15:00Z " * 9,
    "٢٠٢٤-03-01",
    "0001-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59-01:00",
    "12024-03-01",
]


@pytest.mark.parametrize(
    ("dtype", "unit", "good", "bad"),
    [
        (DType.TEXT, "ms", "2024-03-01", BAD_TEXTS),
        (DType.INT64, "ms", 0, [FIRST_MS - 1, LAST_MS + 1, 2**63 - 1, -(2**63)]),
        (DType.INT64, "s", 0, [1_700_000_000_000, 2**63 - 1, -(2**63)]),
        (DType.FLOAT64, "ms", 0.0, [1e18, float("inf"), float("-inf")]),
        (DType.FLOAT64, "s", 0.0, [1e15, 1e308, float("-inf")]),
    ],
)
def test_what_is_no_datetime(dtype: DType, unit: str, good: Any, bad: list[Any]) -> None:
    """It rejects its own row, or is missing where that was asked; the others are read."""
    items = [good, *bad, None, good]
    expected = [item in bad for item in items]
    after = read(items, dtype, unit=unit)
    (mark,) = after.marks
    assert mark.rows.tolist() == expected
    assert (mark.stage, mark.reason) == (Stage.NODE, "DatetimeError")
    assert all("or set invalid: missing" in mark.message(i) for i in range(len(bad)))
    assert all(len(mark.message(i)) < 220 for i in range(len(bad)))
    lenient = read(items, dtype, unit=unit, invalid="missing")
    assert lenient.marks == ()
    assert lenient["x"].to_list() == after["x"].to_list()
    assert lenient["x"].missing.tolist() == [item in bad or item is None for item in items]


@pytest.mark.parametrize("text", BAD_TEXTS)
def test_bad_text_alone(text: str) -> None:
    """Whether a text is read does not depend on the rows beside it."""
    assert read([text], DType.TEXT).marks[0].rows.tolist() == [True]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1969-12-31T23:59:59.9999", "1969-12-31T23:59:59.999Z"),
        ("2024-03-01t10:15:00,5Z", "2024-03-01T10:15:00.500Z"),
        ("2024-03-01T10:15:00.123456789+00:00", "2024-03-01T10:15:00.123Z"),
        ("20240301", "2024-03-01T00:00:00.000Z"),
        ("2024-W10-1", "2024-03-04T00:00:00.000Z"),
    ],
)
def test_forms_of_text(text: str, expected: str) -> None:
    """Digits below a millisecond are cut off, also before 1970; a comma is a point."""
    assert read([text], DType.TEXT)["x"].to_list() == [expected]


def test_into() -> None:
    """With ``into`` the source column stays."""
    after = read(["2024-03-01"], DType.TEXT, into="at")
    assert after["x"].to_list() == ["2024-03-01"]
    assert after["at"].type.dtype is DType.DATETIME


@pytest.mark.parametrize(
    ("dtype", "problem"),
    [
        (DType.DATETIME, "column 'x' is datetime already; remove this node"),
        (DType.FLOAT32, "column 'x' is float32, but this needs float64, int64, text"),
        (DType.BOOL, "column 'x' is bool"),
    ],
)
def test_other_columns_are_refused(dtype: DType, problem: str) -> None:
    """float32 is too coarse for an epoch: 128 s at 1.7e9."""
    with pytest.raises(ConfigError, match=problem):
        build("ToDatetime", {"column": "x"}, {"x": dtype})
