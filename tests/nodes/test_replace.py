"""Replace: change some values, keep the others."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.nodes.support import build, run
from worker.batch import DType
from worker.errors import ConfigError

small = st.integers(-3, 3)


@given(st.lists(st.none() | small), st.dictionaries(small, st.none() | small, min_size=1))
def test_equals_dict_get(items: list[int | None], mapping: dict[int, int | None]) -> None:
    """Each value gives what a dict gives, else itself; null makes it missing."""
    params = {"column": "x", "mapping": mapping, "into": "y"}
    after = run("Replace", params, {"x": DType.INT64}, {"x": items})
    assert after["y"].to_list() == [
        None if item is None else mapping.get(item, item) for item in items
    ]
    assert after["x"].to_list() == items


@pytest.mark.parametrize(
    ("dtype", "mapping", "items", "expected"),
    [
        (DType.TEXT, {"a": "b", "?": None}, ["a", "c", "?", None], ["b", "c", None, None]),
        (DType.FLOAT64, {"-1": 0, "9": None}, [-1.0, 9.0, 2.5, None], [0.0, None, 2.5, None]),
        (DType.FLOAT32, {"0.5": 1}, [0.5, 2.0, None], [1.0, 2.0, None]),
        (DType.BOOL, {"true": False}, [True, False, None], [False, False, None]),
        (DType.INT64, {"0": 7}, [0, 1, None], [7, 1, None]),
    ],
)
def test_every_dtype_is_kept(
    dtype: DType, mapping: dict[str, Any], items: list[Any], expected: list[Any]
) -> None:
    """The result has the column's dtype; unknown values are kept, missing stays missing."""
    after = run("Replace", {"column": "x", "mapping": mapping}, {"x": dtype}, {"x": items})
    assert after["x"].to_list() == expected
    assert after["x"].type.dtype is dtype


def test_values_do_not_chain() -> None:
    """A replacement is not replaced in turn, so two values can swap."""
    params = {"column": "x", "mapping": {"a": "b", "b": "a"}}
    assert run("Replace", params, {"x": DType.TEXT}, {"x": ["a", "b"]})["x"].to_list() == ["b", "a"]


@pytest.mark.parametrize(
    ("dtype", "mapping", "problem"),
    [
        (DType.INT64, {"1": "x"}, "params.mapping.1: 'x' is no int64"),
        (DType.INT64, {"1": 1.5}, "params.mapping.1: 1.5 is not whole"),
        (DType.INT64, {"x": 1}, "params.mapping.x: 'x' is no whole number"),
        (DType.TEXT, {"x": 1}, "params.mapping.x: 1 is no text; put it in quotes"),
        (DType.BOOL, {"true": 1}, "params.mapping.true: 1 is no bool"),
        (DType.FLOAT64, {"1": True}, "params.mapping.1: True is no float64"),
    ],
)
def test_keys_and_values_must_fit(dtype: DType, mapping: dict[str, Any], problem: str) -> None:
    """Both sides of the mapping are of the column's type."""
    with pytest.raises(ConfigError) as caught:
        build("Replace", {"column": "x", "mapping": mapping}, {"x": dtype})
    assert problem in str(caught.value)
