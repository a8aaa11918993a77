"""DatePart: hour, weekday and the like as numbers."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.nodes.support import build, run
from worker.batch import Batch, Column, DType
from worker.errors import ConfigError
from worker.nodes.date_part import Part

PARTS = get_args(Part)
IN_PANDAS = {"dayofweek": "day_of_week", "dayofyear": "day_of_year"}
FIRST_MS, LAST_MS = -62_135_596_800_000, 253_402_300_799_999


@given(st.lists(st.none() | st.integers(FIRST_MS, LAST_MS), min_size=1))
def test_every_part_equals_pandas(items: list[int | None]) -> None:
    """All parts, from year 1 to 9999, are pandas' own; those of a missing datetime are missing."""
    values = np.array([np.datetime64("NaT") if item is None else item for item in items], "M8[ms]")
    node = build("DatePart", {"column": "x", "parts": {p: p for p in PARTS}}, {"x": DType.DATETIME})
    after = node.process(Batch.of({"x": Column(values.copy())}))
    series = pd.Series(values)
    for part in PARTS:
        numbers = getattr(series.dt, IN_PANDAS.get(part, part))
        assert after[part].to_list() == [None if pd.isna(v) else int(v) for v in numbers]


@pytest.mark.parametrize(
    ("part", "expected"),
    [("dayofweek", 0), ("dayofyear", 366), ("quarter", 4), ("hour", 23), ("year", 1968)],
)
def test_known_dates(part: str, expected: int) -> None:
    """Weeks begin with Monday = 0; days of the year with 1; leap years count."""
    at = "1968-12-30T23:59:59" if part == "dayofweek" else "1968-12-31T23:59:59"
    given_at = {"at": [at]}
    after = run(
        "DatePart", {"column": "at", "parts": {part: "p"}}, {"at": DType.DATETIME}, given_at
    )
    assert after["p"].to_list() == [expected]


def test_the_source_may_be_replaced() -> None:
    """A part may take the datetime's own name."""
    params = {"column": "at", "parts": {"minute": "at"}}
    after = run("DatePart", params, {"at": DType.DATETIME}, {"at": ["2024-03-01T10:15"]})
    assert after["at"].to_list() == [15]


def test_text_is_refused_with_the_way_out() -> None:
    """The message says which node turns text into a datetime."""
    with pytest.raises(ConfigError, match="column 'at' is text; turn it by ToDatetime first"):
        build("DatePart", {"column": "at", "parts": {"hour": "h"}}, {"at": DType.TEXT})


def test_two_parts_cannot_share_a_column() -> None:
    """Each part needs a column of its own."""
    with pytest.raises(ConfigError, match=r"parts\.day: column 'h' is named twice"):
        build(
            "DatePart", {"column": "at", "parts": {"hour": "h", "day": "h"}}, {"at": DType.DATETIME}
        )


def test_unknown_parts_are_refused() -> None:
    """A part that pandas has but this node has not is refused, and the known ones are listed."""
    with pytest.raises(ValidationError, match="dayofweek"):
        build("DatePart", {"column": "at", "parts": {"week": "w"}}, {"at": DType.DATETIME})
