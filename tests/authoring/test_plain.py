"""Plain: params of a notebook as a graph file can hold them."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from worker.authoring.plain import Plain

UTC = datetime.UTC


@pytest.mark.parametrize(
    "value", [None, float("nan"), pd.NaT, pd.NA, np.datetime64("NaT"), np.float32("nan")]
)
def test_what_is_missing_is_none(value: Any) -> None:
    """Whatever pandas and numpy have for it."""
    plain = Plain()
    assert (plain([value]), plain({"a": value}), plain.problems) == ([None], {"a": None}, [])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (pd.Timestamp("2024-03-01T10:15:00"), "2024-03-01T10:15:00Z"),
        (pd.Timestamp("2024-03-01T10:15:00+02:00"), "2024-03-01T10:15:00+02:00"),
        (datetime.datetime(2024, 3, 1, 10, 15), "2024-03-01T10:15:00Z"),
        (datetime.datetime(2024, 3, 1, 10, 15, tzinfo=UTC), "2024-03-01T10:15:00+00:00"),
        (datetime.date(2024, 3, 1), "2024-03-01"),
        (np.datetime64("2024-03-01"), "2024-03-01"),
        (np.datetime64("2024-03"), "2024-03-01"),
        (np.datetime64("2024-03-01T10:15:00.123456789"), "2024-03-01T10:15:00.123Z"),
    ],
)
def test_a_point_in_time_has_a_zone(value: Any, text: str) -> None:
    """UTC where it says none, as columns of tables are read; a day has none."""
    assert Plain()(value) == text


def test_keys_as_json_has_them() -> None:
    """Whole floats are the whole numbers that they stand for; truth values are words."""
    assert Plain()({1.0: "a", np.float64(2): "b", 2.5: "c", "x": "e"}) == {
        "1": "a",
        "2": "b",
        "2.5": "c",
        "x": "e",
    }
    assert Plain()({True: "d"}) == {"true": "d"}


def test_two_keys_that_are_one_in_json() -> None:
    """Neither is dropped without a word."""
    plain = Plain()
    plain({1: "a", "1": "b"}, "arg")
    assert [str(p) for p in plain.problems] == ["arg.1: another key is '1' in JSON, too"]


def test_a_set_has_one_order() -> None:
    """Numbers by size; a mixed one by how its items are written."""
    assert Plain()({10, 9}) == [9, 10]
    assert Plain()({1, "a", None}) == ["a", 1, None]
