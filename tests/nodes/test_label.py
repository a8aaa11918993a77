"""Label: class indices or probabilities to class names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.nodes.support import build, run
from worker.batch import Batch, ColumnType, DType
from worker.errors import ConfigError, Stage

NAMES = ["cat", "dog", "owl"]


def named(column_type: ColumnType, items: list[Any]) -> Batch:
    """The labels of the column x."""
    params = {"column": "x", "labels": NAMES, "into": "y"}
    return run("Label", params, {"x": column_type}, {"x": items})


@given(st.lists(st.none() | st.integers(-2, 4) | st.just(2**63 - 1) | st.just(-(2**63))))
def test_index(items: list[int | None]) -> None:
    """An index gives its name, or rejects the row where it has none; missing stays missing."""
    after = named(ColumnType(DType.INT64), items)
    inside = [item is not None and 0 <= item <= 2 for item in items]
    expected = [
        NAMES[item] if item is not None and ok else None
        for item, ok in zip(items, inside, strict=True)
    ]
    assert after["y"].to_list() == expected
    outside = [i for i, item in enumerate(items) if item is not None and not inside[i]]
    assert [row for mark in after.marks for row in np.flatnonzero(mark.rows)] == outside


@given(
    st.lists(st.lists(st.floats(0, 1, width=32), min_size=3, max_size=3), min_size=1, max_size=20)
)
def test_vector(items: list[list[float]]) -> None:
    """A vector gives the name of its greatest entry; of equal ones the first."""
    after = named(ColumnType(DType.FLOAT32, 3), items)
    assert after["y"].to_list() == [NAMES[item.index(max(item))] for item in items]


def test_a_missing_vector() -> None:
    """A vector with a NaN gives a missing label, not the NaN's."""
    after = named(ColumnType(DType.FLOAT64, 3), [[0.0, float("nan"), 1.0], None, [0.0, 0.0, 1.0]])
    assert after["y"].to_list() == [None, None, "owl"]
    assert after.marks == ()


def test_the_message() -> None:
    """A rejection names the column, the index and how many labels there are."""
    (mark,) = named(ColumnType(DType.INT64), [7]).marks
    assert (mark.stage, mark.reason) == (Stage.NODE, "LabelError")
    assert mark.message(0) == "column 'x': 7 is no index of the 3 labels; name every class"


@pytest.mark.parametrize(
    ("column_type", "problem"),
    [
        (ColumnType(DType.FLOAT32, 4), "params.labels: 3 labels, but column 'x' is float32[4]"),
        (ColumnType(DType.FLOAT32), "column 'x' is float32, but this needs int64"),
        (ColumnType(DType.TEXT), "column 'x' is text"),
        (ColumnType(DType.BOOL), "column 'x' is bool"),
    ],
)
def test_labels_must_fit(column_type: ColumnType, problem: str) -> None:
    """As many labels as the vector has entries; an index is int64."""
    with pytest.raises(ConfigError) as caught:
        build("Label", {"column": "x", "labels": NAMES, "into": "y"}, {"x": column_type})
    assert problem in str(caught.value)
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize("labels", [[], [1, 2], "abc"])
def test_labels_are_text(labels: Any) -> None:
    """Labels are a list of text."""
    with pytest.raises(ValidationError):
        build("Label", {"column": "x", "labels": labels, "into": "y"}, {"x": DType.INT64})
