"""Pandas: one operation of pandas on columns; each operation is compared in ``_pandas``."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.nodes.support import build, run
from worker.batch import ColumnType, DType
from worker.errors import ConfigError
from worker.nodes._pandas.table import ALIASES, OPERATIONS, resolve
from worker.nodes.pandas import PandasParams

TYPES = {"a": DType.FLOAT64, "b": DType.FLOAT64, "s": DType.TEXT}
ROWS: dict[str, list[Any]] = {"a": [-1.0, None], "b": [-2.5, 4.0], "s": ["x", None]}


def after(**params: Any) -> dict[str, list[Any]]:
    """Every column after the node."""
    batch = run("Pandas", params, TYPES, ROWS)
    return {name: column.to_list() for name, column in batch.columns.items()}


def test_inplace() -> None:
    """Results take the place of their columns."""
    found = after(**{"import": "abs", "cols": ["a", "b"], "inplace": True})
    assert found == {"a": [1.0, None], "b": [2.5, 4.0], "s": ["x", None]}


def test_new_columns() -> None:
    """Without inplace the result is a new column, named after the column and the operation."""
    assert after(**{"import": "abs", "cols": "a"}) == {**ROWS, "a_abs": [1.0, None]}
    assert after(**{"import": "str.upper", "cols": "s"}) == {**ROWS, "s_upper": ["X", None]}
    named = after(**{"import": "abs", "cols": ["a", "b"], "into": ["c", "d"]})
    assert named == {**ROWS, "c": [1.0, None], "d": [2.5, 4.0]}


def test_whole_frame() -> None:
    """Without cols, every column that the operation can work on; the others pass."""
    found = after(**{"import": "fillna", "kwargs": {"value": 0}, "inplace": True})
    assert found == {"a": [-1.0, 0.0], "b": [-2.5, 4.0], "s": ["x", None]}
    apart = after(**{"import": "isna", "inplace": False})
    assert set(apart) == {*ROWS, "a_isna", "b_isna", "s_isna"}


def test_the_frame_is_what_a_method_of_it_gives() -> None:
    """Without cols and inplace the columns are replaced, as `df = df.fillna(...)` does."""
    assert after(**{"import": "fillna", "kwargs": {"value": 0}})["a"] == [-1.0, 0.0]
    by_column = after(**{"import": "fillna", "kwargs": {"value": {"a": 7, "s": "-"}}})
    assert by_column == {"a": [-1.0, 7.0], "b": [-2.5, 4.0], "s": ["x", "-"]}


def test_vectors_pass() -> None:
    """The whole frame of scalars: a vector is no column of pandas'."""
    types = {"a": DType.FLOAT64, "v": ColumnType(DType.FLOAT32, 2)}
    node = build("Pandas", {"import": "abs", "inplace": True}, types)
    assert node.signature.writes == {"a": ColumnType(DType.FLOAT64)}


def test_rename_and_drop() -> None:
    """They change the frame itself, as in pandas; names may be swapped."""
    swapped = after(**{"import": "rename", "kwargs": {"columns": {"a": "b", "b": "a"}}})
    assert swapped == {"a": ROWS["b"], "b": ROWS["a"], "s": ROWS["s"]}
    assert after(**{"import": "drop", "kwargs": {"columns": ["a", "s"]}}) == {"b": ROWS["b"]}
    assert after(**{"import": "drop", "cols": "a"}) == {"b": ROWS["b"], "s": ROWS["s"]}
    lenient = {"columns": ["a", "z"], "errors": "ignore"}
    assert set(after(**{"import": "drop", "kwargs": lenient})) == {"b", "s"}


def test_a_row_is_rejected_once() -> None:
    """Where two columns fail, the first one is told."""
    params = {"import": "astype", "kwargs": {"dtype": "int"}, "cols": ["x", "y"], "inplace": True}
    types = {"x": DType.TEXT, "y": DType.TEXT}
    marks = run("Pandas", params, types, {"x": ["a", "1"], "y": ["b", "c"]}).marks
    assert [mark.rows.tolist() for mark in marks] == [[True, False], [False, True]]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("rank", "a row's result would depend on its neighbours"),
        ("cumsum", "a row's result would depend on its neighbours"),
        ("ffill", "a row's result would depend on its neighbours"),
        ("apply", "a graph holds no function; calculate with Derive"),
        ("dropna", "an event is one row; Filter keeps or drops it"),
        ("filna", "no operation 'filna'; did you mean 'fillna'? Known: abs, add, astype, between"),
        ("__class__", "no operation '__class__'; known: abs, add, astype, between"),
    ],
)
def test_other_operations_are_refused(name: str, reason: str) -> None:
    """The reason, or the nearest name and the whole list."""
    with pytest.raises(ValidationError, match=reason.replace("?", r"\?")):
        PandasParams.model_validate({"import": name})


def test_every_name_is_in_the_table() -> None:
    """An alias leads to an operation, and none of the table is refused."""
    assert {resolve(name) for name in [*ALIASES, *OPERATIONS]} == set(OPERATIONS)


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"import": "abs", "cols": "z"}, "params.cols: no column 'z' reaches this node"),
        ({"import": "abs", "cols": ["a", "a"]}, "column 'a' is named twice"),
        ({"import": "abs", "cols": "s"}, "column 's' is text, but this needs"),
        ({"import": "abs", "cols": "a", "into": ["c", "d"]}, "2 names for 1 columns"),
        ({"import": "abs", "cols": "a", "into": "c", "inplace": True}, "params.into: inplace"),
        ({"import": "dt.hour"}, "no column that reaches this node fits; needs datetime"),
        ({"import": "rename", "kwargs": {"columns": {"a": "b"}}}, "'b' exists already"),
        ({"import": "rename", "kwargs": {"columns": {"a": "c"}}, "cols": "a"}, "kwargs.columns"),
        ({"import": "drop"}, "params.cols: name the columns to drop"),
    ],
)
def test_refused(params: dict[str, Any], problem: str) -> None:
    """Columns and names that do not fit, with their place."""
    with pytest.raises(ConfigError, match=problem):
        build("Pandas", params, TYPES)
