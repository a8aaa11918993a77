"""to_datetime and the parts of dt equal pandas'."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.nodes._pandas.truth import Items, instants, ours, result, series, values
from tests.nodes.support import build
from worker.batch import DType
from worker.errors import ConfigError, Stage

PARTS = {
    **{name: name for name in ("year", "month", "day", "hour", "minute", "second", "quarter")},
    **dict.fromkeys(("dayofweek", "weekday", "day_of_week"), "day_of_week"),
    **dict.fromkeys(("dayofyear", "day_of_year"), "day_of_year"),
}
"""Names of parts, and the one that pandas will keep."""

UNITS = {"D": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
offsets = st.sampled_from([None, UTC, *(timezone(timedelta(hours=h)) for h in (-11, 2))])
moments = st.builds(
    lambda at, zone: at.replace(tzinfo=zone).isoformat(),
    st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)),
    offsets,
)


def in_ms(found: Any) -> Items:
    """Milliseconds since 1970, None where missing."""
    index = pd.DatetimeIndex(found).floor("ms").as_unit("ms")
    return [
        None if gone else ms for gone, ms in zip(index.isna(), index.asi8.tolist(), strict=True)
    ]


@pytest.mark.parametrize("part", PARTS)
@given(items=instants)
def test_parts(part: str, items: Items) -> None:
    """Every part, with and without the accessor's name; missing where the point in time is."""
    expected = values(getattr(series(items, DType.DATETIME).dt, PARTS[part]))
    assert result(f"dt.{part}", items, DType.DATETIME) == expected
    assert result(part, items, DType.DATETIME) == expected


@given(st.lists(st.none() | moments))
def test_text(items: Items) -> None:
    """ISO 8601 text, as pandas reads it with ``utc=True``."""
    expected = in_ms(pd.to_datetime(pd.Series(items, dtype=object), utc=True, format="ISO8601"))
    assert result("to_datetime", items, DType.TEXT) == expected


@pytest.mark.parametrize("unit", UNITS)
@given(data=st.data())
def test_units(unit: str, data: st.DataObject) -> None:
    """Whole numbers of every coarse unit."""
    most = 8_000_000_000_000 // UNITS[unit]
    items = data.draw(st.lists(st.none() | st.integers(-most, most)))
    held = pd.array(items, dtype="Int64")
    expected = in_ms(pd.to_datetime(pd.Series(held), unit=unit))
    assert result("to_datetime", items, DType.INT64, unit=unit) == expected


@pytest.mark.parametrize("unit", ["us", "ns", None])
@given(items=st.lists(st.integers(-(2**62), 2**62)))
def test_fine_units(unit: Any, items: Items) -> None:
    """Nanoseconds where no unit is given; what is finer than a millisecond is cut off."""
    items = [item // 1000 for item in items] if unit == "us" else items
    given_unit = {} if unit is None else {"unit": unit}
    expected = in_ms(pd.to_datetime(pd.Series(items, dtype=np.int64), **given_unit))
    assert result("to_datetime", items, DType.INT64, **given_unit) == expected


@given(st.lists(st.none() | moments | st.sampled_from(["", "yesterday", "2024-13-01"])))
def test_coerce(items: Items) -> None:
    """``errors: coerce`` makes a text that is no date missing, as in pandas."""
    truth = pd.Series(items, dtype=object)
    expected = in_ms(pd.to_datetime(truth, errors="coerce", utc=True, format="ISO8601"))
    assert result("to_datetime", items, DType.TEXT, errors="coerce") == expected


def test_a_bad_date_rejects_its_row() -> None:
    """Where pandas raises for the whole column, the other rows go on."""
    after = ours("to_datetime", ["2024-03-01", "yesterday", None], DType.TEXT)
    (mark,) = after.marks
    assert mark.rows.tolist() == [False, True, False]
    assert (mark.stage, mark.reason) == (Stage.NODE, "DatetimeError")
    assert mark.message(0) == "column 'x': 'yesterday' is no datetime; correct the event"


def test_a_point_in_time_stays() -> None:
    """A column that is datetime already passes, as in pandas."""
    assert result("to_datetime", [5, None], DType.DATETIME) == [5, None]


@pytest.mark.parametrize(
    ("params", "dtype", "problem"),
    [
        ({"import": "dt.hour"}, DType.TEXT, "column 'x' is text, but this needs datetime"),
        ({"import": "hour", "kwargs": {"tz": "CET"}}, DType.DATETIME, "kwargs.tz: is no known"),
        ({"import": "to_datetime", "kwargs": {"unit": "s"}}, DType.TEXT, "is for numbers"),
        ({"import": "to_datetime", "kwargs": {"unit": "Y"}}, DType.INT64, "not 'Y'"),
        ({"import": "to_datetime", "kwargs": {"errors": "ignore"}}, DType.TEXT, "not 'ignore'"),
        ({"import": "dt.hours"}, DType.DATETIME, "did you mean 'dt.hour'"),
    ],
)
def test_refused(params: dict[str, Any], dtype: DType, problem: str) -> None:
    """Other columns and keywords, with the way out."""
    with pytest.raises((ConfigError, ValueError), match=problem):
        build("Pandas", {**params, "cols": "x"}, {"x": dtype})
