"""Filter: keep the rows that fulfil a condition."""

from __future__ import annotations

import operator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.nodes.support import build, run
from worker.batch import ColumnType, DType
from worker.errors import ConfigError

small = st.integers(-3, 3)


def kept(op: str, value: Any, dtype: DType | ColumnType, items: list[Any]) -> list[bool]:
    """Which rows stay; the others must be dropped with the reason."""
    params = {"column": "x", "op": op, "reason": "unwanted", "value": value}
    after = run("Filter", params, {"x": dtype}, {"x": items})
    if not after.marks:
        return [True] * len(items)
    (mark,) = after.marks
    assert (mark.stage, mark.reason) == (None, "unwanted")
    return [not dropped for dropped in mark.rows]


@given(
    st.lists(st.none() | small),
    st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge"]),
    small,
    st.sampled_from([DType.INT64, DType.FLOAT64, DType.FLOAT32]),
)
def test_comparison(items: list[int | None], op: str, value: int, dtype: DType) -> None:
    """Numbers compare as Python's do; a missing one fulfils nothing, not even ``ne``."""
    compare = getattr(operator, op)
    expected = [item is not None and compare(item, value) for item in items]
    assert kept(op, value, dtype, items) == expected


@given(st.lists(st.none() | small), st.lists(small, min_size=1, unique=True))
def test_membership(items: list[int | None], values: list[int]) -> None:
    """``in`` and ``not_in`` part the values; a missing one is in neither."""
    present = [item is not None for item in items]
    inside = [item in values for item in items]
    assert kept("in", values, DType.INT64, items) == inside
    assert kept("not_in", values, DType.INT64, items) == [
        there and not within for there, within in zip(present, inside, strict=True)
    ]


@pytest.mark.parametrize(
    ("dtype", "items"),
    [
        (DType.FLOAT32, [1.0, None]),
        (DType.INT64, [0, None]),
        (DType.BOOL, [False, None]),
        (DType.TEXT, ["", None]),
        (DType.DATETIME, ["1970-01-01", None]),
        (ColumnType(DType.FLOAT32, 2), [[1.0, 2.0], None]),
    ],
)
def test_missing(dtype: DType | ColumnType, items: list[Any]) -> None:
    """Only ``missing`` is fulfilled by a missing value, of any type, vectors too."""
    assert kept("missing", None, dtype, items) == [False, True]
    assert kept("not_missing", None, dtype, items) == [True, False]


@pytest.mark.parametrize(
    ("op", "value", "dtype", "items", "expected"),
    [
        ("eq", "a", DType.TEXT, ["a", "b", "A", None], [True, False, False, False]),
        ("in", ["a", ""], DType.TEXT, ["a", "", "b", None], [True, True, False, False]),
        ("eq", False, DType.BOOL, [True, False, None], [False, True, False]),
        ("not_in", [True], DType.BOOL, [True, False, None], [False, True, False]),
        ("eq", 0.1, DType.FLOAT32, [0.1, 0.2], [True, False]),
        ("in", [0.1], DType.FLOAT32, [0.1, 0.2], [True, False]),
        ("gt", 1.5, DType.INT64, [1, 2], [False, True]),
        ("ge", 2.0, DType.INT64, [1, 2], [False, True]),
        ("lt", 2**53 + 1, DType.INT64, [2**53, 2**53 + 1], [True, False]),
        (
            "ge",
            "2024-03-01T02:00+02:00",
            DType.DATETIME,
            ["2024-02-29T23:59:59.999", "2024-03-01", None],
            [False, True, False],
        ),
        ("in", ["2024-03-01"], DType.DATETIME, ["2024-03-01", "2024-03-02"], [True, False]),
    ],
)
def test_every_dtype(
    op: str, value: Any, dtype: DType, items: list[Any], expected: list[bool]
) -> None:
    """The value is compared in the column's own type and precision."""
    assert kept(op, value, dtype, items) == expected


@pytest.mark.parametrize(
    ("op", "value", "dtype", "problem"),
    [
        ("eq", "1", DType.INT64, "params.value: '1' is no int64"),
        ("eq", True, DType.INT64, "params.value: True is no int64"),
        ("eq", 1.5, DType.INT64, "params.value: 1.5 is not whole"),
        ("eq", 1, DType.BOOL, "params.value: 1 is no bool"),
        ("eq", 1, DType.TEXT, "params.value: 1 is no text; put it in quotes"),
        ("eq", "soon", DType.DATETIME, "params.value: 'soon' is no ISO 8601 date-time"),
        ("gt", 1e39, DType.FLOAT32, "params.value: 1e+39 is outside float32"),
        ("eq", None, DType.TEXT, "params.value: eq needs one value"),
        ("eq", ["a"], DType.TEXT, "params.value: eq needs one value"),
        ("in", "a", DType.TEXT, "params.value: in needs a list of values"),
        ("in", ["a", 1], DType.TEXT, "params.value[1]: 1 is no text"),
        ("in", [1, 1.0], DType.INT64, "params.value[1]: the same value as value[0]"),
        ("missing", 1, DType.INT64, "params.value: missing takes no value; remove it"),
        ("lt", "a", DType.TEXT, "column 'x' is text, but this needs"),
        ("lt", True, DType.BOOL, "column 'x' is bool, but this needs"),
    ],
)
def test_the_value_must_fit(op: str, value: Any, dtype: DType, problem: str) -> None:
    """A value that no row could equal, or that the condition does not have, is refused."""
    params = {"column": "x", "op": op, "value": value, "reason": "r"}
    with pytest.raises(ConfigError) as caught:
        build("Filter", params, {"x": dtype})
    assert problem in str(caught.value)
