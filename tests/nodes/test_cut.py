"""Cut: numbers to intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.nodes.support import build, run
from worker.batch import DType
from worker.errors import ConfigError

edges = st.lists(st.integers(-20, 20).map(lambda i: i / 4), min_size=2, max_size=8, unique=True)
numbers = st.none() | st.integers(-24, 24).map(lambda i: i / 4) | st.floats(-7, 7, width=32)


def as_list(codes: Any) -> list[Any]:
    """The answer of pandas, None where missing."""
    return [None if pd.isna(code) else code for code in codes]


@given(
    st.lists(numbers, min_size=1),
    edges.map(sorted),
    st.booleans(),
    st.sampled_from([DType.FLOAT64, DType.FLOAT32]),
)
def test_index_equals_pandas(
    items: list[float | None], bins: list[float], right: bool, dtype: DType
) -> None:
    """Without labels the result is the index that pandas.cut gives with ``labels=False``."""
    values = np.array([np.nan if item is None else item for item in items], dtype=str(dtype))
    expected = as_list(pd.cut(values, bins, right=right, labels=False))
    params = {"column": "x", "bins": bins, "right": right, "into": "y"}
    after = run("Cut", params, {"x": dtype}, {"x": items})
    assert after["y"].to_list() == expected
    assert after["y"].type.dtype is DType.INT64


@given(st.lists(st.integers(-24, 24), min_size=1), edges.map(sorted), st.booleans(), st.booleans())
def test_labels_equal_pandas(
    items: list[int], bins: list[float], right: bool, as_text: bool
) -> None:
    """Labels are those of pandas.cut, as text or as float64, for int64 columns too."""
    labels: list[Any] = [f"b{i}" if as_text else i * 1.5 for i in range(len(bins) - 1)]
    expected = as_list(pd.cut(np.array(items), bins, right=right, labels=labels))
    params = {"column": "x", "bins": bins, "right": right, "labels": labels}
    after = run("Cut", params, {"x": DType.INT64}, {"x": items})
    assert after["x"].to_list() == expected
    assert after["x"].type.dtype is (DType.TEXT if as_text else DType.FLOAT64)


def test_ids_are_told_apart() -> None:
    """Whole edges of an int64 column are compared as whole numbers."""
    items = [2**53, 2**53 + 1, 2**53 + 2]
    params = {"column": "x", "bins": items}
    assert run("Cut", params, {"x": DType.INT64}, {"x": items})["x"].to_list() == [None, 0, 1]


def test_open_ends() -> None:
    """An infinite edge, written as text, takes every number but the infinite one it excludes."""
    infinite = float("inf")
    items = [-infinite, -1e300, 0.0, 1e300, infinite]
    params = {"column": "x", "bins": ["-inf", 0, "inf"]}
    after = run("Cut", params, {"x": DType.FLOAT64}, {"x": items})
    expected = as_list(pd.cut(np.array(items), [-infinite, 0, infinite], labels=False))
    assert after["x"].to_list() == expected == [None, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"bins": [0, 2, 1]}, r"params.bins\[2\]: edges must ascend"),
        ({"bins": [0, 0]}, r"params.bins\[1\]: edges must ascend"),
        ({"bins": [0, 1, 2], "labels": ["a"]}, "params.labels: 1 labels, but 2 intervals"),
        ({"bins": [0, 1], "labels": []}, "params.labels: 0 labels, but 1 intervals"),
        ({"bins": [0, 1], "labels": [10**400]}, r"params.labels\[0\]: 1000.* is outside float64"),
    ],
)
def test_bins_and_labels_must_fit(params: dict[str, Any], problem: str) -> None:
    """Edges ascend, and each interval between two of them has its label."""
    with pytest.raises(ConfigError, match=problem):
        build("Cut", {"column": "x", **params}, {"x": DType.FLOAT64})


@pytest.mark.parametrize(
    "params",
    [
        {"bins": ["0", "1"]},
        {"bins": [False, True]},
        {"bins": [0, float("inf")]},
        {"bins": [0, 10**400]},
        {"bins": [-(10**400), "inf"]},
        {"bins": [0]},
        {"bins": [0, 1, 2], "labels": ["a", 1]},
        {"bins": [0, 1, 2], "labels": [True, False]},
    ],
)
def test_edges_and_labels_are_of_one_type(params: dict[str, Any]) -> None:
    """Text and true are no edges; labels are all text or all numbers."""
    with pytest.raises(ValidationError):
        build("Cut", {"column": "x", **params}, {"x": DType.FLOAT64})


@pytest.mark.parametrize(("right", "codes"), [(True, [0, 0, 1, None]), (False, [0, 1, 1, None])])
def test_whole_edges_between_infinite_ones_are_exact(right: bool, codes: list[Any]) -> None:
    """An edge above 2^53 stays apart from its neighbours also where the outermost are infinite."""
    edge = 2**53 + 1
    params = {"column": "x", "bins": ["-inf", edge, "inf"], "right": right}
    after = run("Cut", params, {"x": DType.INT64}, {"x": [edge - 1, edge, edge + 1, None]})
    assert after["x"].to_list() == codes
