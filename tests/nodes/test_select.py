"""Select: keep some columns."""

from __future__ import annotations

from typing import Any

import pytest

from tests.nodes.support import build, columns_of, run
from worker.batch import ColumnType, DType
from worker.errors import ConfigError
from worker.nodes.base import TOPIC_COLUMN

TYPES: dict[str, DType | ColumnType] = {
    "a": DType.INT64,
    "b": DType.TEXT,
    "v": ColumnType(DType.FLOAT32, 2),
}
GIVEN: dict[str, list[Any]] = {"a": [1, None], "b": ["x", None], "v": [[1.0, 2.0], None]}


def test_keeps_only_the_named() -> None:
    """Scalars and vectors that are named stay as they are; the others are gone."""
    after = run("Select", {"columns": ["v", "a"]}, TYPES, GIVEN)
    assert {name: column.to_list() for name, column in after.columns.items()} == {
        "a": GIVEN["a"],
        "v": GIVEN["v"],
    }


def test_the_chosen_topic_stays() -> None:
    """A Select behind a Route does not undo it."""
    types = {"a": DType.INT64, TOPIC_COLUMN: DType.TEXT}
    node = build("Select", {"columns": ["a"]}, types)
    after = node.process(columns_of(types, {"a": [1], TOPIC_COLUMN: ["t"]}))
    assert after[TOPIC_COLUMN].to_list() == ["t"]
    assert node.signature.removes == ()


def test_unknown_and_repeated_columns_are_refused() -> None:
    """Both mistakes are told, each at its place."""
    with pytest.raises(ConfigError) as caught:
        build("Select", {"columns": ["a", "zz", "a"]}, TYPES)
    assert [problem.path for problem in caught.value.problems] == [
        "params.columns[1]",
        "params.columns[2]",
    ]
    assert "named twice, first at columns[0]" in str(caught.value)
