"""Drop: remove some columns."""

from __future__ import annotations

from typing import Any

import pytest

from tests.nodes.support import build, run
from worker.batch import ColumnType, DType
from worker.errors import ConfigError

TYPES: dict[str, DType | ColumnType] = {
    "a": DType.INT64,
    "b": DType.TEXT,
    "v": ColumnType(DType.FLOAT32, 2),
}
GIVEN: dict[str, list[Any]] = {"a": [1, None], "b": ["x", None], "v": [[1.0, 2.0], None]}


def test_removes_the_named() -> None:
    """Scalars and vectors that are named are gone; the others stay."""
    after = run("Drop", {"columns": ["v", "a"]}, TYPES, GIVEN)
    assert list(after.columns) == ["b"]


def test_reads_nothing() -> None:
    """A dropped column need not even be decoded."""
    assert build("Drop", {"columns": ["a"]}, TYPES).signature.reads == ()


def test_rows_stay_without_columns() -> None:
    """Dropping every column drops no row."""
    after = run("Drop", {"columns": ["a", "b", "v"]}, TYPES, GIVEN)
    assert len(after) == 2


def test_unknown_columns_are_refused() -> None:
    """A misspelt column is told with the nearest name."""
    with pytest.raises(ConfigError, match="no column 'bb' reaches this node; did you mean 'b'"):
        build("Drop", {"columns": ["bb"]}, TYPES)
