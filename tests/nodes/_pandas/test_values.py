"""map, replace, astype, comparisons and the like equal pandas'."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.nodes._pandas.truth import (
    COLUMNS,
    Items,
    finite,
    ours,
    result,
    series,
    smalls,
    texts,
    values,
    wholes,
)
from tests.nodes.support import build, run
from worker.batch import DType
from worker.errors import ConfigError, Stage

letters = st.lists(st.none() | st.sampled_from(["a", "b", "c", "", "ä"]))
digits = st.lists(st.none() | st.integers(-3, 3))
halves = st.lists(st.none() | st.sampled_from([-0.5, 0.0, 0.5, 1.0, 2.5]))
SCALARS: dict[DType, tuple[st.SearchStrategy[Items], st.SearchStrategy[Any]]] = {
    DType.TEXT: (letters, st.sampled_from(["a", "b", "c", "", "ä", "z"])),
    DType.INT64: (digits, st.integers(-4, 4)),
    DType.FLOAT64: (halves, st.sampled_from([-0.5, 0.0, 0.5, 1.0, 2.5, 3.5])),
}
odd = ["nan", "NaN", "-nan", "inf", "-Infinity", "+inf", "1e999", "1e300", " 7 ", "1_0", "٣", ""]
spelled = st.sampled_from(odd) | st.floats().map(str)
each_dtype = pytest.mark.parametrize("dtype", list(SCALARS))


@each_dtype
@given(data=st.data())
def test_map(dtype: DType, data: st.DataObject) -> None:
    """What is no key becomes missing, and missing stays missing, whatever na_action says."""
    columns, scalars = SCALARS[dtype]
    items = data.draw(columns)
    results = data.draw(st.sampled_from([st.text(max_size=3), st.integers(-9, 9), st.booleans()]))
    arg = data.draw(st.dictionaries(scalars, results, min_size=1))
    expected = values(series(items, dtype).map(arg))
    na_action = data.draw(st.sampled_from([None, 0, "ignore"]))
    assert result("map", items, dtype, arg=arg, na_action=na_action) == expected


@each_dtype
@given(data=st.data())
def test_replace(dtype: DType, data: st.DataObject) -> None:
    """A mapping, a list and one value; all at once, so that two may swap."""
    columns, scalars = SCALARS[dtype]
    items = data.draw(columns)
    table = data.draw(st.dictionaries(scalars, scalars, min_size=1))
    truth = series(items, dtype)
    assert result("replace", items, dtype, to_replace=table) == values(truth.replace(table))
    keys, new = list(table), list(table.values())
    pairs = {"to_replace": keys, "value": new}
    assert result("replace", items, dtype, **pairs) == values(truth.replace(keys, new))
    many = {"to_replace": keys, "value": new[0]}
    assert result("replace", items, dtype, **many) == values(truth.replace(keys, new[0]))
    one = {"to_replace": keys[0], "value": new[0]}
    assert result("replace", items, dtype, **one) == values(truth.replace(keys[0], new[0]))


@given(letters)
def test_replace_by_nothing(items: Items) -> None:
    """A value that is replaced by null is missing."""
    expected = [None if item == "a" else item for item in items]
    assert result("replace", items, DType.TEXT, to_replace="a", value=None) == expected


@given(letters, digits)
def test_replace_per_column(names: Items, numbers: Items) -> None:
    """A mapping of mappings says which column each of them is for, as in a frame of pandas."""
    n = min(len(names), len(numbers))
    rows = {"s": names[:n], "i": numbers[:n]}
    tables = {"s": {"a": "b"}, "i": {1: 2}}
    table = pd.DataFrame({"s": series(rows["s"], DType.TEXT), "i": series(rows["i"], DType.INT64)})
    expected = table.replace(tables)
    params = {"import": "replace", "kwargs": {"to_replace": tables}, "inplace": True}
    after = run("Pandas", params, {"s": DType.TEXT, "i": DType.INT64}, rows)
    assert after["s"].to_list() == values(expected["s"])
    assert after["i"].to_list() == values(expected["i"])


@each_dtype
@given(data=st.data())
def test_isin(dtype: DType, data: st.DataObject) -> None:
    """A missing value is in the list only where null is."""
    columns, scalars = SCALARS[dtype]
    items = data.draw(columns)
    listed = data.draw(st.lists(scalars, unique=True))
    assert result("isin", items, dtype, values=listed) == values(series(items, dtype).isin(listed))
    expected = values(series(items, dtype).isin([*listed, np.nan]))
    assert result("isin", items, dtype, values=[*listed, None]) == expected


@pytest.mark.parametrize(
    ("operation", "kwargs", "expected"),
    [
        ("isin", {"values": [0.1]}, [True, False]),
        ("eq", {"other": 0.1}, [True, False]),
        ("map", {"arg": {"0.1": "a"}}, ["a", None]),
    ],
)
def test_float32_is_compared_in_its_own_precision(
    operation: str, kwargs: dict[str, Any], expected: Items
) -> None:
    """A feature of 0.1 is 0.1, also where pandas looks it up among doubles and finds nothing."""
    assert result(operation, [0.1, 0.2], DType.FLOAT32, **kwargs) == expected


@pytest.mark.parametrize("inclusive", ["both", "neither", "left", "right"])
@given(items=smalls | wholes, left=st.integers(-9, 0), right=st.integers(0, 9) | st.floats(0, 9))
def test_between(inclusive: str, items: Items, left: int, right: float) -> None:
    """Each of the four ways to include the bounds; missing lies outside."""
    expected = values(series(items, DType.INT64).between(left, right, inclusive))
    kwargs = {"left": left, "right": right, "inclusive": inclusive}
    assert result("between", items, DType.INT64, **kwargs) == expected


@pytest.mark.parametrize("operation", ["eq", "ne", "lt", "le", "gt", "ge"])
@given(data=st.data())
def test_comparisons(operation: str, data: st.DataObject) -> None:
    """A missing value differs from every other, and is neither above nor below."""
    dtypes = list(SCALARS) if operation in ("eq", "ne") else [DType.INT64, DType.FLOAT64]
    dtype = data.draw(st.sampled_from(dtypes))
    columns, scalars = SCALARS[dtype]
    items, other = data.draw(columns), data.draw(scalars)
    expected = values(getattr(series(items, dtype), operation)(other))
    assert result(operation, items, dtype, other=other) == expected


@pytest.mark.parametrize("operation", ["where", "mask"])
@each_dtype
@given(data=st.data())
def test_where(operation: str, dtype: DType, data: st.DataObject) -> None:
    """A bool column decides between the value and a constant, or missing without one."""
    columns, scalars = SCALARS[dtype]
    items = data.draw(columns)
    n = len(items)
    cond = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    other = data.draw(st.none() | scalars)
    truth = getattr(series(items, dtype), operation)
    decide = pd.Series(cond, dtype=bool)
    expected = values(truth(decide) if other is None else truth(decide, other))
    params = {"import": operation, "kwargs": {"cond": "c", "other": other}, "cols": "x"}
    types = {"x": dtype, "c": DType.BOOL}
    after = run("Pandas", {**params, "inplace": True}, types, {"x": items, "c": cond})
    assert after["x"].to_list() == expected


CASTS: list[tuple[DType, st.SearchStrategy[Any], str]] = [
    (DType.FLOAT64, st.floats(-(2.0**62), 2.0**62), "int"),
    (DType.FLOAT64, st.floats(allow_nan=False, allow_infinity=False), "str"),
    (DType.FLOAT64, st.floats(allow_nan=False), "bool"),
    (DType.FLOAT64, st.floats(allow_nan=False, width=32), "float32"),
    (DType.INT64, st.integers(-(2**63), 2**63 - 1), "float"),
    (DType.INT64, st.integers(-(2**63), 2**63 - 1), "str"),
    (DType.INT64, st.integers(-3, 3), "bool"),
    (DType.BOOL, st.booleans(), "int64"),
    (DType.BOOL, st.booleans(), "float64"),
    (DType.BOOL, st.booleans(), "str"),
    (DType.TEXT, st.integers(-(2**63), 2**63 - 1).map(str), "int"),
    (DType.TEXT, st.floats(allow_nan=False, allow_infinity=False).map(str), "float"),
    (DType.TEXT, st.text(max_size=3), "string"),
]


@pytest.mark.parametrize(("dtype", "scalars", "target"), CASTS)
@given(data=st.data())
def test_astype(
    dtype: DType, scalars: st.SearchStrategy[Any], target: str, data: st.DataObject
) -> None:
    """Complete columns become what pandas makes of them; a missing value stays missing."""
    items = data.draw(st.lists(scalars))
    expected = values(series(items, dtype).astype(target))
    assert result("astype", items, dtype, dtype=target) == expected
    assert result("astype", [*items, None], dtype, dtype=target) == [*expected, None]


@pytest.mark.parametrize("target", ["float", "float32"])
def test_astype_reads_what_pandas_reads(target: str) -> None:
    """Text that is no finite number of that dtype is missing and no dead letter."""
    items = ["nan", "NaN", " 1.5 ", "inf", "-Infinity", "1e999", "1e300", None]
    with np.errstate(over="ignore"):
        expected = finite(series(items, DType.TEXT).astype(target))
    assert result("astype", items, DType.TEXT, dtype=target) == expected


def test_astype_of_what_float32_cannot_hold() -> None:
    """It is infinite in pandas, and so is missing."""
    assert result("astype", [1e300, 0.5], DType.FLOAT64, dtype="float32") == [None, 0.5]


@pytest.mark.parametrize("target", ["int", "float", "float32"])
@given(items=texts | st.lists(st.none() | spelled))
def test_astype_rejects_single_rows(target: str, items: Items) -> None:
    """Where pandas raises for a text that is no number, only its row is a dead letter."""
    rows = [*items, "no number", "7"]
    after = ours("astype", rows, DType.TEXT, dtype=target)
    rejected = np.zeros(len(rows), dtype=bool)
    for mark in after.marks:
        assert (mark.stage, mark.reason) == (Stage.NODE, "CastError")
        rejected |= mark.rows
    expected = [read_by_pandas(item, target) for item in rows]
    assert rejected.tolist() == [answer is None for answer in expected]
    assert after["y"].to_list() == [None if answer is None else answer[0] for answer in expected]


def read_by_pandas(item: str | None, target: str) -> Items | None:
    """One text by itself; None where pandas raises, or where the kind's page says it refuses."""
    if item is None:
        return [None]
    if "_" in item or not item.isascii():
        return None
    try:
        with np.errstate(over="ignore"):
            return finite(series([item], DType.TEXT).astype(target))
    except (ValueError, OverflowError):
        return None


@pytest.mark.parametrize("dtype", list(COLUMNS))
@given(data=st.data())
def test_missing(dtype: DType, data: st.DataObject) -> None:
    """isna and notna, under both of their names."""
    items = data.draw(COLUMNS[dtype])
    truth = series(items, dtype)
    for name in ("isna", "isnull"):
        assert result(name, items, dtype) == values(truth.isna())
    for name in ("notna", "notnull"):
        assert result(name, items, dtype) == values(truth.notna())


@each_dtype
@given(data=st.data())
def test_fillna(dtype: DType, data: st.DataObject) -> None:
    """A constant where the value is missing."""
    columns, scalars = SCALARS[dtype]
    items, value = data.draw(columns), data.draw(scalars)
    assert result("fillna", items, dtype, value=value) == values(series(items, dtype).fillna(value))


@given(st.lists(st.tuples(st.none() | st.floats(-9, 9), st.none() | st.text(max_size=2))))
def test_fillna_of_a_frame(rows: list[tuple[Any, Any]]) -> None:
    """A dict fills its columns, as in pandas; a number fills those that can hold it."""
    columns = {"a": [row[0] for row in rows], "s": [row[1] for row in rows]}
    types = {"a": DType.FLOAT64, "s": DType.TEXT}
    table = pd.DataFrame({name: series(columns[name], types[name]) for name in columns})
    fill: dict[str, Any] = {"a": 1.5, "s": "none"}
    params = {"import": "fillna", "kwargs": {"value": fill}, "inplace": True}
    expected = table.fillna(fill)
    after = run("Pandas", params, types, columns)
    assert {name: after[name].to_list() for name in columns} == {
        name: values(expected[name]) for name in columns
    }
    params = {"import": "fillna", "kwargs": {"value": 0}, "inplace": True}
    after = run("Pandas", params, types, columns)
    assert after["a"].to_list() == values(table["a"].fillna(0))
    assert after["s"].to_list() == columns["s"]


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"import": "map", "kwargs": {"arg": "lambda x: x"}}, "a graph holds no function"),
        ({"import": "map", "kwargs": {"arg": {"a": "x", "b": 1}}}, "must be all text"),
        ({"import": "map", "kwargs": {"arg": {"a": 1}, "na_action": 1}}, "kwargs.na_action"),
        ({"import": "replace", "kwargs": {"to_replace": "a"}}, "value is required, unless"),
        ({"import": "replace", "kwargs": {"to_replace": {"a": "b"}, "value": "c"}}, "remove value"),
        ({"import": "replace", "kwargs": {"to_replace": ["a"], "value": ["b", "c"]}}, "one length"),
        ({"import": "replace", "kwargs": {"to_replace": "a", "value": 1}}, "1 is no text"),
        ({"import": "astype", "kwargs": {"dtype": "bool"}}, "every text but the empty one is true"),
        ({"import": "astype", "kwargs": {"dtype": "complex"}}, "params.kwargs.dtype: must be"),
        ({"import": "fillna", "kwargs": {"method": "ffill"}}, "method fills from the rows beside"),
        ({"import": "fillna", "kwargs": {"value": 0}}, "0 is no text; put it in quotes"),
        ({"import": "fillna", "kwargs": {"value": {"y": 0}}}, "has no value for column 'x'"),
        ({"import": "where", "kwargs": {"cond": "x"}}, "column 'x' is text, but this needs bool"),
        ({"import": "lt", "kwargs": {"other": "a"}}, "column 'x' is text, but this needs"),
    ],
)
def test_refused(params: dict[str, Any], problem: str) -> None:
    """What does not fit is refused with its place and the way out."""
    with pytest.raises(ConfigError, match=problem):
        build("Pandas", {**params, "cols": "x"}, {"x": DType.TEXT})
