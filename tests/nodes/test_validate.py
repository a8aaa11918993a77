"""Validate: rows that break a rule become dead letters."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.nodes.support import build, run
from worker.batch import Batch, ColumnType, DType
from worker.errors import ConfigError, Stage

small = st.integers(-3, 3)


def check(rule: dict[str, Any], dtype: DType | ColumnType, items: list[Any]) -> Batch:
    """The column x under one rule."""
    return run("Validate", {"rules": {"x": rule}}, {"x": dtype}, {"x": items})


def rejected(batch: Batch) -> dict[int, str]:
    """Row -> error, of each rejected row."""
    found = {}
    for mark in batch.marks:
        assert mark.stage is Stage.VALIDATE
        for row in mark.rows.nonzero()[0].tolist():
            assert row not in found
            found[row] = mark.reason
    return found


@given(st.lists(st.none() | small), small, st.integers(0, 3), st.booleans())
def test_range(items: list[int | None], low: int, width: int, required: bool) -> None:
    """Bounds are included; a missing value breaks only ``required``."""
    rule = {"min": low, "max": low + width, "required": required}
    expected = {
        i: "MissingError" if item is None else "RangeError"
        for i, item in enumerate(items)
        if (required if item is None else not low <= item <= low + width)
    }
    assert rejected(check(rule, DType.INT64, items)) == expected


@pytest.mark.parametrize(
    ("rule", "dtype", "items", "expected"),
    [
        ({"allowed": ["f", "m"]}, DType.TEXT, ["f", "x", None], {1: "AllowedError"}),
        ({"allowed": [True]}, DType.BOOL, [True, False, None], {1: "AllowedError"}),
        ({"allowed": [0.1]}, DType.FLOAT32, [0.1, 0.2, None], {1: "AllowedError"}),
        ({"min": 0.1}, DType.FLOAT32, [0.1, 0.0, None], {1: "RangeError"}),
        ({"max": 1.5}, DType.INT64, [1, 2], {1: "RangeError"}),
        ({"max": 1}, DType.FLOAT64, [float("inf"), 1.0], {0: "RangeError"}),
        (
            {"min": "2024-01-01", "max": "2024-12-31"},
            DType.DATETIME,
            ["2024-06-01", "2023-12-31", "2025-01-01", None],
            {1: "RangeError", 2: "RangeError"},
        ),
        ({"required": True}, ColumnType(DType.FLOAT32, 2), [[1.0, 2.0], None], {1: "MissingError"}),
    ],
)
def test_every_dtype(
    rule: dict[str, Any], dtype: DType, items: list[Any], expected: dict[int, str]
) -> None:
    """Rules hold in the column's own type and precision."""
    assert rejected(check(rule, dtype, items)) == expected


def test_the_first_broken_rule_is_told() -> None:
    """Rules are tested in the order of the file; a row is rejected once."""
    params = {"rules": {"x": {"min": 0}, "y": {"allowed": ["a"]}}}
    types = {"x": DType.INT64, "y": DType.TEXT}
    after = run("Validate", params, types, {"x": [-1, -1, 1], "y": ["a", "b", "b"]})
    assert rejected(after) == {0: "RangeError", 1: "RangeError", 2: "AllowedError"}


@pytest.mark.parametrize(
    ("rule", "dtype", "item", "message"),
    [
        (
            {"min": 0},
            DType.INT64,
            -4,
            "column 'x': -4 is below min 0; correct the event or the rule",
        ),
        ({"max": 9}, DType.FLOAT64, 9.5, "column 'x': 9.5 is above max 9; correct the event or"),
        ({"allowed": ["f"]}, DType.TEXT, "?", "column 'x': '?' is not one of the 1 allowed values"),
        ({"required": True}, DType.TEXT, None, "column 'x': is missing; correct the event or the"),
        ({"max": "2020-01-01"}, DType.DATETIME, "2024-03-01", ":00.000Z' is above max 2020-01-01;"),
    ],
)
def test_messages(rule: dict[str, Any], dtype: DType, item: Any, message: str) -> None:
    """A message names the column, the value and the rule."""
    (mark,) = check(rule, dtype, [item]).marks
    assert message in mark.message(0)


def test_long_values_are_shortened() -> None:
    """A message carries at most 80 characters of a value."""
    (mark,) = check({"allowed": ["f"]}, DType.TEXT, ["y" * 100_000]).marks
    assert len(mark.message(0)) < 200
    assert "yyy..." in mark.message(0)


@pytest.mark.parametrize(
    ("rule", "column_type", "problem"),
    [
        ({}, ColumnType(DType.TEXT), "params.rules.x: give min, max, allowed or required: true"),
        ({"required": False}, ColumnType(DType.TEXT), "give min, max, allowed or required: true"),
        ({"min": 2, "max": 1}, ColumnType(DType.INT64), "params.rules.x.min: min 2 is above max 1"),
        ({"min": "a"}, ColumnType(DType.INT64), "params.rules.x.min: 'a' is no int64"),
        ({"max": 1}, ColumnType(DType.TEXT), "params.rules.x: column 'x' is text"),
        ({"allowed": ["1"]}, ColumnType(DType.INT64), "rules.x.allowed[0]: '1' is no int64"),
        ({"min": 0}, ColumnType(DType.FLOAT32, 2), "params.rules.x: column 'x' is float32[2]"),
    ],
)
def test_rules_must_fit(rule: dict[str, Any], column_type: ColumnType, problem: str) -> None:
    """A rule that demands nothing, contradicts itself or the column is refused."""
    with pytest.raises(ConfigError) as caught:
        build("Validate", {"rules": {"x": rule}}, {"x": column_type})
    assert problem in str(caught.value)


@pytest.mark.parametrize("rule", [{"min": True}, {"mn": 1}, {"allowed": []}, {"required": 1}])
def test_rules_are_typed(rule: dict[str, Any]) -> None:
    """A misspelt demand or one of another type is refused."""
    with pytest.raises(ValidationError):
        build("Validate", {"rules": {"x": rule}}, {"x": DType.INT64})
