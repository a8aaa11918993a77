"""Operations on numbers equal pandas'."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.nodes._pandas.truth import (
    Items,
    Pandas,
    finite,
    floats,
    ours,
    plain,
    result,
    series,
    smalls,
    values,
    wholes,
)
from tests.nodes.support import build, run
from worker.batch import DType
from worker.errors import ConfigError

FUNCTIONS: list[tuple[str, Pandas]] = [
    ("abs", lambda x: x.abs()),
    ("log", np.log),
    ("log1p", np.log1p),
    ("exp", np.exp),
    ("sqrt", np.sqrt),
]
numbers = st.integers(-1000, 1000) | st.floats(-1e6, 1e6)


@pytest.mark.parametrize(("operation", "pandas"), FUNCTIONS, ids=[name for name, _ in FUNCTIONS])
@given(items=floats)
def test_functions_of_floats(operation: str, pandas: Pandas, items: Items) -> None:
    """What is finite is pandas' result to the bit; what is not is missing."""
    with np.errstate(all="ignore"):
        expected = finite(pandas(series(items, DType.FLOAT64)))
    assert result(operation, items, DType.FLOAT64) == expected


@pytest.mark.parametrize(("operation", "pandas"), FUNCTIONS, ids=[name for name, _ in FUNCTIONS])
@given(items=smalls)
def test_functions_of_whole_numbers(operation: str, pandas: Pandas, items: Items) -> None:
    """The same for int64, missing values included."""
    with np.errstate(all="ignore"):
        expected = finite(pandas(series(items, DType.INT64)))
    assert result(operation, items, DType.INT64) == expected


@given(plain, st.integers(-6, 12))
def test_round(items: Items, decimals: int) -> None:
    """A half goes to the even neighbour, as in pandas."""
    expected = values(series(items, DType.FLOAT64).round(decimals))
    assert result("round", items, DType.FLOAT64, decimals=decimals) == expected


@given(floats, st.none() | st.floats(-10, 0), st.none() | st.floats(0, 10))
def test_clip(items: Items, lower: float | None, upper: float | None) -> None:
    """Either bound, or both."""
    lower = -1.5 if lower is None and upper is None else lower
    expected = values(series(items, DType.FLOAT64).clip(lower, upper))
    bounds = {"lower": lower, "upper": upper}
    assert result("clip", items, DType.FLOAT64, **bounds) == expected


@given(smalls, st.integers(-9, 0), st.integers(0, 9))
def test_clip_whole_numbers(items: Items, lower: int, upper: int) -> None:
    """Whole bounds keep int64."""
    expected = values(series(items, DType.INT64).clip(lower, upper))
    after = ours("clip", items, DType.INT64, lower=lower, upper=upper)
    assert after["y"].to_list() == expected
    assert after["y"].type.dtype is DType.INT64


@pytest.mark.parametrize("operation", ["add", "sub", "mul", "div"])
@given(items=plain, other=numbers, fill=st.none() | numbers)
def test_floats_and_a_number(operation: str, items: Items, other: float, fill: Any) -> None:
    """Missing stays missing, or counts as fill_value."""
    other = other or 3
    expected = finite(getattr(series(items, DType.FLOAT64), operation)(other, fill_value=fill))
    found = result(operation, items, DType.FLOAT64, other=other, fill_value=fill)
    assert found == expected


@pytest.mark.parametrize("operation", ["add", "sub", "mul", "div"])
@given(
    rows=st.lists(st.tuples(st.none() | numbers, st.none() | st.integers(-(2**31), 2**31))),
    fill=st.none() | st.integers(-5, 5) | st.floats(-5, 5),
)
def test_two_columns(operation: str, rows: list[tuple[Any, Any]], fill: float | None) -> None:
    """A column of floats with one of whole numbers; a division by zero is missing."""
    left, right = [[row[i] for row in rows] for i in (0, 1)]
    params = {
        "import": operation,
        "kwargs": {"other": "b", "fill_value": fill},
        "cols": "a",
        "inplace": True,
    }
    types = {"a": DType.FLOAT64, "b": DType.INT64}
    after = run("Pandas", params, types, {"a": left, "b": right})
    frame = [series(left, DType.FLOAT64), series(right, DType.FLOAT64)]
    with np.errstate(all="ignore"):
        expected = finite(getattr(frame[0], operation)(frame[1], fill_value=fill))
    assert after["a"].to_list() == expected


@pytest.mark.parametrize("operation", ["add", "sub", "mul"])
@given(items=wholes, other=st.integers(-(2**63), 2**63 - 1))
def test_whole_numbers_are_exact(operation: str, items: Items, other: int) -> None:
    """int64 keeps every digit; what pandas lets wrap around is missing."""
    exact = {"add": int.__add__, "sub": int.__sub__, "mul": int.__mul__}[operation]
    fits = [-(2**63) <= exact(item, other) < 2**63 for item in items]
    pandas = values(getattr(series(items, DType.INT64), operation)(other))
    expected = [value if fit else None for value, fit in zip(pandas, fits, strict=True)]
    assert result(operation, items, DType.INT64, other=other) == expected


@pytest.mark.parametrize("operation", ["sum", "mean", "min", "max"])
@given(
    rows=st.lists(
        st.tuples(*[st.none() | st.floats(-1e9, 1e9)] * 2, st.none() | st.integers(-9, 9))
    ),
    skipna=st.booleans(),
)
def test_over_columns(operation: str, rows: list[tuple[Any, ...]], skipna: bool) -> None:
    """axis: 1 over floats and whole numbers, with and without missing values."""
    given_rows = {name: [row[i] for row in rows] for i, name in enumerate("abc")}
    table = pd.DataFrame({name: series(c, DType.FLOAT64) for name, c in given_rows.items()})
    expected = values(getattr(table, operation)(axis=1, skipna=skipna))
    params = {"import": operation, "kwargs": {"axis": 1, "skipna": skipna}, "into": "y"}
    types = {"a": DType.FLOAT64, "b": DType.FLOAT64, "c": DType.INT64}
    assert run("Pandas", params, types, given_rows)["y"].to_list() == expected


@pytest.mark.parametrize("operation", ["sum", "min", "max"])
@given(rows=st.lists(st.tuples(*[st.none() | st.integers(-(2**61), 2**61)] * 3)), data=st.data())
def test_over_whole_numbers(operation: str, rows: list[tuple[Any, ...]], data: Any) -> None:
    """Over int64 columns the result is exact, as pandas' nullable integers."""
    given_rows = {name: [row[i] for row in rows] for i, name in enumerate("abc")}
    table = pd.DataFrame({n: pd.Series(c, dtype="Int64") for n, c in given_rows.items()})
    kwargs: dict[str, Any] = {"axis": 1, "skipna": data.draw(st.booleans())}
    if operation == "sum":
        kwargs["min_count"] = data.draw(st.integers(0, 3))
    expected = values(getattr(table, operation)(**kwargs))
    params = {"import": operation, "kwargs": kwargs, "cols": ["a", "b", "c"], "into": "y"}
    found = run("Pandas", params, dict.fromkeys("abc", DType.INT64), given_rows)["y"]
    assert found.to_list() == expected
    assert found.type.dtype is DType.INT64


@given(rows=st.lists(st.tuples(*[st.integers(-(2**63), 2**63 - 1)] * 4)), skipna=st.booleans())
def test_a_sum_beyond_int64_is_missing(rows: list[tuple[int, ...]], skipna: bool) -> None:
    """Whatever it wraps around to; a sum that comes back on the way is exact."""
    given_rows = {name: [row[i] for row in rows] for i, name in enumerate("abcd")}
    params = {"import": "sum", "kwargs": {"axis": 1, "skipna": skipna}, "into": "y"}
    found = run("Pandas", params, dict.fromkeys("abcd", DType.INT64), given_rows)["y"]
    assert found.to_list() == [s if -(2**63) <= (s := sum(r)) < 2**63 else None for r in rows]


@pytest.mark.parametrize("operation", ["add", "sub", "mul", "div"])
@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.FLOAT64])
def test_an_operand_beyond_float64(operation: str, dtype: DType) -> None:
    """A whole number may have any size in a file; it is refused with its place."""
    params = {"import": operation, "kwargs": {"other": 10**400}, "cols": "x"}
    with pytest.raises(ConfigError, match=r"params.kwargs.other: 1000.* is outside float64"):
        build("Pandas", params, {"x": dtype})


def test_the_least_int64_has_no_absolute_value() -> None:
    """It is missing, not negative."""
    items = [-(2**63), None, -5]
    assert result("abs", items, DType.INT64) == [None, None, 5]


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"import": "sum", "kwargs": {}, "into": "y"}, "params.kwargs.axis: is required"),
        ({"import": "mean", "kwargs": {"axis": 0}}, "axis: goes over rows, and no event depends"),
        ({"import": "sum", "kwargs": {"axis": 1}}, "params.into: sum makes one column of 2; name"),
        ({"import": "clip", "kwargs": {}}, "params.kwargs: give lower, upper or both"),
        ({"import": "clip", "kwargs": {"lower": 0.5}, "cols": "a"}, "0.5 is not whole"),
        ({"import": "round", "kwargs": {"decimals": -1}, "cols": "a"}, "astype float rounds"),
        ({"import": "div", "kwargs": {"other": 0}, "cols": "a"}, "dividing by 0"),
        ({"import": "add", "kwargs": {"other": "c"}, "cols": "a"}, "no column 'c' reaches this"),
        ({"import": "add", "kwargs": {"other": 2**70}, "cols": "a"}, "outside int64"),
        ({"import": "add", "kwargs": {"other": 1, "fil_value": 0}}, "did you mean 'fill_value'"),
    ],
)
def test_refused(params: dict[str, Any], problem: str) -> None:
    """Keywords that contradict the columns or would look at other rows."""
    with pytest.raises(ConfigError, match=problem):
        build("Pandas", params, {"a": DType.INT64, "b": DType.INT64})


@pytest.mark.parametrize("operation", ["sum", "mean", "min", "max"])
def test_without_a_number_there_is_nothing_to_sum(operation: str) -> None:
    """A frame of text is refused where the graph is loaded, not at its first event."""
    params = {"import": operation, "kwargs": {"axis": 1}, "into": "y"}
    with pytest.raises(ConfigError, match="cols: no column that reaches this node fits; needs"):
        build("Pandas", params, {"s": DType.TEXT})
