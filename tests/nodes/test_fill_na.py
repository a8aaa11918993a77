"""FillNa: constants where values are missing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.nodes.support import build, columns_of, run
from worker.batch import ColumnType, DType
from worker.errors import ConfigError


@pytest.mark.parametrize(
    ("dtype", "value", "items", "expected"),
    [
        (DType.FLOAT64, 1.5, [None, 0.0], [1.5, 0.0]),
        (DType.FLOAT32, 2, [None, 0.0], [2.0, 0.0]),
        (DType.INT64, 2.0, [None, 0], [2, 0]),
        (DType.BOOL, True, [None, False], [True, False]),
        (DType.TEXT, "", [None, "a"], ["", "a"]),
        (
            DType.DATETIME,
            "2024-03-01T02:00+02:00",
            [None, "1970-01-01"],
            ["2024-03-01T00:00:00.000Z", "1970-01-01T00:00:00.000Z"],
        ),
    ],
)
def test_every_dtype(dtype: DType, value: Any, items: list[Any], expected: list[Any]) -> None:
    """Missing values take the constant; the others and the dtype stay; nothing is missing."""
    after = run("FillNa", {"columns": {"x": value}}, {"x": dtype}, {"x": items})
    assert after["x"].to_list() == expected
    assert after["x"].type.dtype is dtype
    assert not after["x"].missing.any()


def test_nothing_missing_costs_nothing() -> None:
    """A column without a missing value is passed on, not copied."""
    node = build("FillNa", {"columns": {"x": 0}}, {"x": DType.INT64})
    before = columns_of({"x": DType.INT64}, {"x": [1, 2]})
    assert node.process(before)["x"] is before["x"]


@pytest.mark.parametrize(
    ("column_type", "value", "problem"),
    [
        (ColumnType(DType.INT64), 1.5, "params.columns.x: 1.5 is not whole, and the column is"),
        (ColumnType(DType.INT64), 2**63, "params.columns.x: 9223372036854775808 is outside int64"),
        (ColumnType(DType.INT64), True, "params.columns.x: True is no int64"),
        (ColumnType(DType.FLOAT64), "1", "params.columns.x: '1' is no float64"),
        (ColumnType(DType.FLOAT32), 1e39, "params.columns.x: 1e+39 is outside float32"),
        (ColumnType(DType.FLOAT64), 10**400, "... is outside float64"),
        (ColumnType(DType.TEXT), 1, "params.columns.x: 1 is no text; put it in quotes"),
        (ColumnType(DType.BOOL), 0, "params.columns.x: 0 is no bool"),
        (ColumnType(DType.DATETIME), "soon", "params.columns.x: 'soon' is no ISO 8601 date-time"),
        (ColumnType(DType.FLOAT32, 2), 0, "column 'x' is float32[2]"),
    ],
)
def test_the_value_must_fit(column_type: ColumnType, value: Any, problem: str) -> None:
    """A constant of another type is refused, true for a number and "1" for a number too."""
    with pytest.raises(ConfigError) as caught:
        build("FillNa", {"columns": {"x": value}}, {"x": column_type})
    assert problem in str(caught.value)
