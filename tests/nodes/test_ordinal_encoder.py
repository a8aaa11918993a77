"""OrdinalEncoder gives positions, as scikit-learn's encoder does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sklearn.preprocessing import OrdinalEncoder

from tests.nodes.support import build, run
from worker.batch import ColumnType, DType
from worker.errors import ConfigError


@given(values=st.lists(st.text("abcd", max_size=1), min_size=1), unknown=st.integers(-9, -1))
@settings(deadline=None)
def test_equals_scikit_learn(values: list[str], unknown: int) -> None:
    """Text without missing values is encoded as handle_unknown="use_encoded_value" does."""
    categories = ["b", "d", "a"]
    encoder = OrdinalEncoder(
        categories=[categories],
        handle_unknown="use_encoded_value",
        unknown_value=unknown,
        dtype=np.int64,
    ).fit(np.array([["a"]], dtype=object))
    expected = encoder.transform(np.array(values, dtype=object)[:, None])[:, 0]

    batch = run(
        "OrdinalEncoder",
        {"columns": {"x": categories}, "unknown": unknown},
        {"x": DType.TEXT},
        {"x": values},
    )

    assert np.array_equal(batch["x"].values, expected)
    assert batch["x"].type == ColumnType(DType.INT64)


@pytest.mark.parametrize(
    ("dtype", "categories", "given", "expected"),
    [
        (DType.TEXT, ["s", "l"], ["l", "x", None, "s"], [1, 9, None, 0]),
        (DType.INT64, [7, 0], [0, 1, None, 7], [1, 9, None, 0]),
        (DType.BOOL, [True], [True, False, None], [0, 9, None]),
    ],
)
def test_missing_stays_missing(
    dtype: DType, categories: list[Any], given: list[Any], expected: list[int | None]
) -> None:
    """Every type of category; a missing value is neither a category nor unknown."""
    params = {"columns": {"x": categories}, "unknown": 9}

    batch = run("OrdinalEncoder", params, {"x": dtype}, {"x": given})

    assert batch["x"].to_list() == expected


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"columns": {"x": ["a", "b"]}, "unknown": 1}, "params.unknown: 1 is the code of 'b'"),
        ({"columns": {"x": ["a", "a"]}}, r"params.columns.x\[1\]: the same value as"),
        ({"columns": {"x": [True]}}, r"params.columns.x\[0\]: True is no text"),
        ({"columns": {"y": ["a"]}}, "params.columns.y: no column 'y'"),
    ],
)
def test_refuses_what_does_not_fit(params: dict[str, Any], message: str) -> None:
    """Categories are of the column's type and stand once; ``unknown`` is nobody's code."""
    with pytest.raises(ConfigError, match=message):
        build("OrdinalEncoder", params, {"x": DType.TEXT})


@pytest.mark.parametrize("unknown", [True, "1", 1.0, 2**63])
def test_refuses_an_unknown_that_is_no_int64(unknown: object) -> None:
    """``unknown`` is a whole number written as one."""
    with pytest.raises(ValidationError):
        build("OrdinalEncoder", {"columns": {"x": ["a"]}, "unknown": unknown}, {"x": DType.TEXT})
