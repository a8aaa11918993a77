"""Clip: keep numbers within bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.nodes.support import build, run
from worker.batch import DType
from worker.errors import ConfigError

wholes = st.integers(-(2**63), 2**63 - 1)


@given(st.lists(st.none() | st.floats(allow_nan=False)), st.floats(-9, 0), st.floats(0, 9))
def test_floats_equal_min_and_max(items: list[float | None], lower: float, upper: float) -> None:
    """Each number is moved to the nearest bound; missing stays missing, infinite is moved too."""
    params = {"columns": ["x"], "lower": lower, "upper": upper}
    after = run("Clip", params, {"x": DType.FLOAT64}, {"x": items})
    expected = [None if item is None else min(max(item, lower), upper) for item in items]
    assert after["x"].to_list() == expected


@given(st.lists(st.none() | wholes), wholes)
def test_int64_is_exact(items: list[int | None], lower: int) -> None:
    """Whole numbers beyond 2**53 keep every digit, and stay int64."""
    after = run("Clip", {"columns": ["x"], "lower": lower}, {"x": DType.INT64}, {"x": items})
    expected = [None if item is None else max(item, lower) for item in items]
    assert after["x"].to_list() == expected
    assert after["x"].type.dtype is DType.INT64


def test_float32_stays_float32() -> None:
    """A bound does not widen the column."""
    after = run("Clip", {"columns": ["x"], "upper": 0.3}, {"x": DType.FLOAT32}, {"x": [1.0, 0.25]})
    assert after["x"].values.dtype == np.float32
    assert after["x"].to_list() == [float(np.float32(0.3)), 0.25]


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"columns": ["x"]}, "params.lower: give lower, upper or both"),
        ({"columns": ["x"], "lower": 2, "upper": 1}, "params.lower: lower 2 is above upper 1"),
        ({"columns": ["x"], "lower": 0.5}, "params.lower: 0.5 is not whole, and the column is"),
        ({"columns": ["x"], "upper": 1e30}, r"params.upper: 1e\+30 is outside int64"),
        ({"columns": ["x", "x"], "lower": 1}, "column 'x' is named twice"),
    ],
)
def test_bounds_must_fit(params: dict[str, Any], problem: str) -> None:
    """Bounds that contradict each other or the column are refused."""
    with pytest.raises(ConfigError, match=problem):
        build("Clip", params, {"x": DType.INT64})


@pytest.mark.parametrize("bound", ["1", True, float("inf"), float("nan")])
def test_a_bound_is_a_number(bound: Any) -> None:
    """Text, true and what is not finite are no bounds."""
    with pytest.raises(ValidationError):
        build("Clip", {"columns": ["x"], "lower": bound}, {"x": DType.FLOAT64})
