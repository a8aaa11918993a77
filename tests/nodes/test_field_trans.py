"""FieldTrans: columns to the types of a schema, with defaults."""

from __future__ import annotations

from typing import Any

import pytest

from tests.nodes.support import build, run
from worker.batch import Batch, ColumnType, DType
from worker.errors import ConfigError, Stage


def after(source: DType, items: list[Any], **field: Any) -> Batch:
    """The column x after the node."""
    return run("FieldTrans", {"fields": {"x": field}}, {"x": source}, {"x": items})


@pytest.mark.parametrize(
    ("source", "items", "field", "expected"),
    [
        (DType.TEXT, ["7", None], {"type": "int64"}, [7, None]),
        (DType.TEXT, ["7", None], {"type": "float64", "default": 1}, [7.0, 1.0]),
        (DType.FLOAT64, [1.9, None], {"type": "int64", "default": 0}, [1, 0]),
        (DType.INT64, [1, None], {"default": 5}, [1, 5]),
        (DType.TEXT, ["x"], {"type": "int64", "invalid": "missing", "default": 3}, [3]),
        (DType.INT64, [0, None], {"type": "datetime"}, ["1970-01-01T00:00:00.000Z", None]),
        (
            DType.TEXT,
            ["2024-03-01", None],
            {"type": "datetime", "default": "2000-01-01"},
            ["2024-03-01T00:00:00.000Z", "2000-01-01T00:00:00.000Z"],
        ),
        (DType.BOOL, [True, None], {"type": "text", "default": "?"}, ["true", "?"]),
    ],
)
def test_types_and_defaults(
    source: DType, items: list[Any], field: dict[str, Any], expected: list[Any]
) -> None:
    """A value is converted first, and a default stands where it is missing then."""
    found = after(source, items, **field)
    assert found["x"].to_list() == expected
    assert found.marks == ()


@pytest.mark.parametrize(
    ("target", "error"), [("int64", "CastError"), ("datetime", "DatetimeError")]
)
def test_what_has_no_counterpart(target: str, error: str) -> None:
    """It rejects its row, default or not: a wrong value is not a missing one."""
    found = after(DType.TEXT, ["soon", None], type=target, default=None)
    (mark,) = found.marks
    assert mark.rows.tolist() == [True, False]
    assert (mark.stage, mark.reason) == (Stage.NODE, error)
    assert mark.message(0) == (
        f"column 'x': 'soon' is no {target}; correct the event or set invalid: missing"
    )


def test_others_can_go() -> None:
    """With ``others: drop`` only the schema's fields stay."""
    params = {"fields": {"x": {"type": "float32"}}, "others": "drop"}
    types = {"x": ColumnType(DType.FLOAT64, 2), "y": DType.TEXT}
    found = run("FieldTrans", params, types, {"x": [[1.0, 2.0]], "y": ["a"]})
    assert list(found.columns) == ["x"]
    assert found["x"].type == ColumnType(DType.FLOAT32, 2)


@pytest.mark.parametrize(
    ("field", "problem"),
    [
        ({}, "params.fields.x: give type, default or both"),
        ({"type": "bool"}, "params.fields.x.type: is datetime and cannot become bool"),
        ({"type": "text", "default": 1}, "params.fields.x.default: 1 is no text"),
    ],
)
def test_refused(field: dict[str, Any], problem: str) -> None:
    """A field without effect, a type without a way to it, a default of another type."""
    with pytest.raises(ConfigError, match=problem):
        build("FieldTrans", {"fields": {"x": field}}, {"x": DType.DATETIME})


def test_a_vector_has_no_default() -> None:
    """A constant for a vector is refused."""
    fields = {"x": {"default": 1.0}}
    with pytest.raises(ConfigError, match="a vector has no default"):
        build("FieldTrans", {"fields": fields}, {"x": ColumnType(DType.FLOAT64, 2)})
