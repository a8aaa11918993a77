"""FieldOps: select, drop, rename and copy columns in one node."""

from __future__ import annotations

from typing import Any

import pytest

from tests.nodes.support import build, run
from worker.batch import ColumnType, DType
from worker.errors import ConfigError

TYPES = {"a": DType.INT64, "b": DType.TEXT, "c": ColumnType(DType.FLOAT32, 2)}
ROWS: dict[str, list[Any]] = {"a": [1, None], "b": ["x", None], "c": [[0.5, 1.0], None]}


def after(**params: Any) -> dict[str, list[Any]]:
    """Every column after the node."""
    columns = run("FieldOps", params, TYPES, ROWS).columns
    return {name: column.to_list() for name, column in columns.items()}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"select": ["c", "a"]}, {"a": "a", "c": "c"}),
        ({"drop": ["b"]}, {"a": "a", "c": "c"}),
        ({"rename": {"a": "b", "b": "a"}}, {"a": "b", "b": "a", "c": "c"}),
        ({"copy": {"a": "d"}}, {"a": "a", "b": "b", "c": "c", "d": "a"}),
        (
            {"select": ["b"], "rename": {"a": "d"}, "copy": {"c": "e"}},
            {"b": "b", "d": "a", "e": "c"},
        ),
        ({"drop": ["a"], "rename": {"b": "a"}}, {"a": "b", "c": "c"}),
        ({"rename": {"a": "d"}, "copy": {"a": "e"}}, {"b": "b", "c": "c", "d": "a", "e": "a"}),
        ({"select": ["b"], "copy": {"b": "a"}}, {"a": "b", "b": "b"}),
    ],
)
def test_what_stays(params: dict[str, Any], expected: dict[str, str]) -> None:
    """Each column afterwards, and the one it was before."""
    assert after(**params) == {new: ROWS[old] for new, old in expected.items()}


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({}, "params.select: give select, drop, rename or copy"),
        ({"select": ["a"], "drop": ["b"]}, "params.drop: with select the others go anyway"),
        ({"rename": {"a": "b"}}, "params.rename.a: column 'b' exists already; drop it here"),
        ({"copy": {"a": "b"}}, "params.copy.a: column 'b' exists already"),
        ({"rename": {"a": "d"}, "copy": {"b": "d"}}, "column 'd' is named twice"),
        ({"drop": ["a"], "rename": {"a": "d"}}, "column 'a' is named twice"),
        ({"drop": ["z"]}, r"params.drop\[0\]: no column 'z' reaches this node"),
        ({"copy": {"z": "d"}}, "params.copy.z: no column 'z' reaches this node"),
    ],
)
def test_refused(params: dict[str, Any], problem: str) -> None:
    """Names that contradict each other, or that do not exist."""
    with pytest.raises(ConfigError, match=problem):
        build("FieldOps", params, TYPES)
