"""Threshold: a decision from a number."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.nodes.support import build, run
from worker.batch import DType
from worker.errors import ConfigError


@given(st.lists(st.none() | st.floats(allow_nan=False)), st.floats(-1e9, 1e9))
def test_at_least(items: list[float | None], at: float) -> None:
    """From the bound upwards it is true, below it false; missing stays missing."""
    params = {"column": "x", "at": at, "into": "y"}
    after = run("Threshold", params, {"x": DType.FLOAT64}, {"x": items})
    assert after["y"].to_list() == [None if item is None else item >= at for item in items]
    assert after["x"].to_list() == items


@pytest.mark.parametrize(
    ("above", "below", "dtype"),
    [
        ("high", "low", DType.TEXT),
        (1, 0, DType.INT64),
        (1, 0.5, DType.FLOAT64),
        (False, True, DType.BOOL),
    ],
)
def test_dtype_follows_the_values(above: Any, below: Any, dtype: DType) -> None:
    """Text, int64, float64 or bool."""
    params = {"column": "x", "at": 0, "into": "y", "above": above, "below": below}
    after = run("Threshold", params, {"x": DType.INT64}, {"x": [0, -1, None]})
    assert after["y"].to_list() == [above, below, None]
    assert after["y"].type.dtype is dtype


@pytest.mark.parametrize(
    ("dtype", "at", "items", "expected"),
    [
        (DType.FLOAT32, 0.3, [0.3, 0.29], [True, False]),
        (DType.INT64, 0.5, [0, 1], [False, True]),
        (DType.INT64, 2**53 + 1, [2**53, 2**53 + 1], [False, True]),
    ],
)
def test_precision(dtype: DType, at: float, items: list[Any], expected: list[bool]) -> None:
    """The bound is taken in the column's precision, so a float32 score of 0.3 reaches 0.3."""
    params = {"column": "x", "at": at, "into": "y"}
    assert run("Threshold", params, {"x": dtype}, {"x": items})["y"].to_list() == expected


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"above": "high"}, "above and below: values must be all text, all numbers or all true"),
        ({"above": 1, "below": False}, "above and below: values must be all text"),
        ({"above": 2**63, "below": 0}, "9223372036854775808 is outside int64"),
        ({"at": 1e39}, "params.at: 1e+39 is outside float32"),
    ],
)
def test_values_must_fit(params: dict[str, Any], problem: str) -> None:
    """Both values are of one type, and the bound is one the column can reach."""
    with pytest.raises(ConfigError) as caught:
        build("Threshold", {"column": "x", "at": 0, "into": "y", **params}, {"x": DType.FLOAT32})
    assert problem in str(caught.value)


@pytest.mark.parametrize("at", ["0.5", True, None, float("nan")])
def test_the_bound_is_a_number(at: Any) -> None:
    """Text and true are no bounds."""
    with pytest.raises(ValidationError):
        build("Threshold", {"column": "x", "at": at, "into": "y"}, {"x": DType.FLOAT32})
