"""Map: translate values by a table."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.nodes.support import build, run
from worker.batch import DType
from worker.errors import ConfigError


@given(
    st.lists(st.none() | st.text(max_size=2)),
    st.dictionaries(st.text(max_size=2), st.integers(-9, 9), min_size=1),
    st.none() | st.integers(-9, 9),
)
def test_equals_dict_get(
    items: list[str | None], mapping: dict[str, int], default: int | None
) -> None:
    """Each value gives what a dict gives, else the default; missing stays missing."""
    params = {"column": "x", "mapping": mapping, "default": default, "into": "y"}
    after = run("Map", params, {"x": DType.TEXT}, {"x": items})
    expected = [None if item is None else mapping.get(item, default) for item in items]
    assert after["y"].to_list() == expected
    assert after["x"].to_list() == items


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (["a", "b"], DType.TEXT),
        ([1, 2], DType.INT64),
        ([1, 2.5], DType.FLOAT64),
        ([True, None], DType.BOOL),
    ],
)
def test_dtype_follows_the_values(values: list[Any], dtype: DType) -> None:
    """Text, int64, float64 or bool; null gives a missing value."""
    params = {"column": "x", "mapping": dict(zip(["p", "q"], values, strict=True))}
    after = run("Map", params, {"x": DType.TEXT}, {"x": ["p", "q", "r", None]})
    assert after["x"].type.dtype is dtype
    assert after["x"].to_list() == [*values, None, None]


@pytest.mark.parametrize(
    ("dtype", "keys", "items"),
    [
        (DType.INT64, ["1", "-2"], [1, -2]),
        (DType.INT64, [1, -2], [1, -2]),
        (DType.FLOAT64, ["0.1", "1e3"], [0.1, 1000.0]),
        (DType.FLOAT64, ["0", 2], [-0.0, 2.0]),
        (DType.FLOAT32, ["0.1", "2"], [0.1, 2.0]),
        (DType.BOOL, ["true", "false"], [True, False]),
        (DType.BOOL, [True, False], [True, False]),
    ],
)
def test_keys_take_the_column_dtype(dtype: DType, keys: list[Any], items: list[Any]) -> None:
    """Keys that JSON writes as text fit numbers and truth values, in the column's precision."""
    params = {"column": "x", "mapping": {keys[0]: "first", keys[1]: "second"}, "default": "?"}
    after = run("Map", params, {"x": dtype}, {"x": [*items, None]})
    assert after["x"].to_list() == ["first", "second", None]


@pytest.mark.parametrize(
    ("dtype", "mapping", "problem"),
    [
        (DType.INT64, {"a": 1}, "params.mapping.a: 'a' is no whole number"),
        (DType.INT64, {"1.5": 1}, "params.mapping.1.5: '1.5' is no whole number"),
        (DType.INT64, {"1": 1, "01": 2}, "params.mapping.01: the same value as mapping.1"),
        (DType.FLOAT64, {"inf": 1}, "'inf' is no finite number"),
        (DType.BOOL, {"yes": 1}, "'yes' is neither true nor false"),
        (DType.TEXT, {False: "Norway"}, "False is no text; put it in quotes"),
        (DType.TEXT, {7: "x"}, "7 is no text; put it in quotes"),
        (DType.TEXT, {"a": 1, "b": "x"}, "values must be all text, all numbers or all true/false"),
        (DType.TEXT, {"a": 1, "b": True}, "values must be all text, all numbers or all true/false"),
        (DType.TEXT, {"a": None}, "values must be all text"),
        (DType.TEXT, {"a": 2**63}, "9223372036854775808 is outside int64"),
        (DType.DATETIME, {"a": 1}, "column 'x' is datetime"),
    ],
)
def test_a_table_must_fit(dtype: DType, mapping: dict[Any, Any], problem: str) -> None:
    """Keys that no value of the column can equal and values of mixed types are refused."""
    with pytest.raises(ConfigError) as caught:
        build("Map", {"column": "x", "mapping": mapping}, {"x": dtype})
    assert problem in str(caught.value)


def test_a_zero_that_is_missing_is_no_zero() -> None:
    """The fill of a missing int64 is not looked up."""
    params = {"column": "x", "mapping": {"0": "zero"}, "default": "other"}
    after = run("Map", params, {"x": DType.INT64}, {"x": [0, None, 5]})
    assert after["x"].to_list() == ["zero", None, "other"]
