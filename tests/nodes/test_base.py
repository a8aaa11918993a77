"""Columns.need, and how a node reports what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.nodes.support import build
from worker.batch import ANY, NUMBERS, ColumnType, DType
from worker.errors import ConfigError
from worker.nodes.base import Columns

TYPES = {
    "age": ColumnType(DType.INT64),
    "brand": ColumnType(DType.TEXT),
    "pixels": ColumnType(DType.FLOAT32, 64),
}


def problems_of(need: Callable[[Columns], Any], *, complete: bool = True) -> list[str]:
    """What a use of the columns gave as problems, as text."""
    columns = Columns(TYPES, complete=complete)
    need(columns)
    return [str(problem) for problem in columns.problems]


def test_a_fit_column_gives_its_type() -> None:
    """A column that exists and fits is no problem, and its type is known."""
    columns = Columns(TYPES)
    assert columns.need("column", "age", NUMBERS) == ColumnType(DType.INT64)
    assert columns.need("column", "pixels", ANY, vector=True) == ColumnType(DType.FLOAT32, 64)
    assert columns.need("column", "pixels", ANY, vector=None) == ColumnType(DType.FLOAT32, 64)
    assert columns.problems == []


def test_unknown_column_names_the_nearest() -> None:
    """A misspelt column gets the param's path and the name that was probably meant."""
    told = problems_of(lambda columns: columns.need("columns[1]", "brnd"))
    assert told == ["params.columns[1]: no column 'brnd' reaches this node; did you mean 'brand'?"]


def test_unknown_column_lists_what_there_is() -> None:
    """Where nothing is near, the message lists the columns."""
    told = problems_of(lambda columns: columns.need("column", "zzz"))
    assert told == ["params.column: no column 'zzz' reaches this node; known: age, brand, pixels"]


def test_unknown_column_is_no_problem_after_another() -> None:
    """Behind a node that could not be checked, an unknown column is not reported again."""
    assert problems_of(lambda columns: columns.need("column", "zzz"), complete=False) == []


def test_wrong_dtype_says_what_is_needed() -> None:
    """Text where numbers are needed: the message names both and the way out."""
    told = problems_of(lambda columns: columns.need("column", "brand", NUMBERS))
    assert told == [
        "params.column: column 'brand' is text, but this needs float32, float64, int64; Cast it"
    ]


def test_wrong_dtype_counts_behind_an_unchecked_node_too() -> None:
    """A column that is known not to fit is a problem also where others are unknown."""
    told = problems_of(lambda columns: columns.need("column", "brand", NUMBERS), complete=False)
    assert len(told) == 1


@pytest.mark.parametrize(
    ("name", "vector", "message"),
    [
        ("pixels", False, "column 'pixels' is float32[64], but this needs one number or text"),
        ("age", True, "column 'age' is int64, but this needs a vector"),
    ],
)
def test_vector_and_scalar_are_not_exchanged(name: str, vector: bool, message: str) -> None:
    """A vector where a scalar is needed is a problem, and the other way round."""
    (told,) = problems_of(lambda columns: columns.need("column", name, ANY, vector=vector))
    assert told.startswith(f"params.column: {message}")


@pytest.mark.parametrize("vector", [False, True])
def test_checking_goes_on_with_a_fit_type(vector: bool) -> None:
    """After a problem the type given is one the node can work on."""
    found = Columns(TYPES).need("column", "brand", NUMBERS, vector=vector)
    assert found.dtype in NUMBERS
    assert (found.length is not None) == vector


def test_all_problems_at_once() -> None:
    """A node with three mistakes reports all three, not the first."""
    with pytest.raises(ConfigError) as caught:
        build("Clip", {"columns": ["brand", "agee"], "lower": 9, "upper": 1}, TYPES)
    assert sorted(problem.path for problem in caught.value.problems) == [
        "params.columns[0]",
        "params.columns[1]",
        "params.lower",
    ]


def test_columns_are_a_mapping() -> None:
    """A node can look at what reaches it: names in order, and types."""
    assert list(Columns(TYPES)) == ["age", "brand", "pixels"]
    assert len(Columns(TYPES)) == 3
    assert Columns(TYPES)["brand"] == ColumnType(DType.TEXT)
