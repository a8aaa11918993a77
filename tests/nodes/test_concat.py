"""Concat puts columns side by side in their order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError

from tests.nodes.support import build, run
from worker.batch import Batch, Column, ColumnType, DType
from worker.errors import ConfigError

TYPES = {
    "i": ColumnType(DType.INT64),
    "b": ColumnType(DType.BOOL),
    "f": ColumnType(DType.FLOAT64),
    "v": ColumnType(DType.FLOAT32, 2),
}


@given(
    data=st.data(),
    lengths=st.lists(st.none() | st.integers(1, 4), min_size=1, max_size=5),
    n=st.integers(0, 5),
)
@settings(deadline=None)
def test_equals_numpy(data: st.DataObject, lengths: list[int | None], n: int) -> None:
    """Any mix of scalars and vectors gives numpy's column_stack, in C order."""
    given_columns = {}
    for i, length in enumerate(lengths):
        shape = (n,) if length is None else (n, length)
        values = data.draw(arrays(np.float32, shape, elements=st.floats(-9, 9, width=32)))
        given_columns[f"x{i}"] = Column(values)
    types = {name: column.type for name, column in given_columns.items()}
    node = build("Concat", {"columns": list(types), "into": "z"}, types)

    found = node.process(Batch.of(given_columns))["z"]

    expected = np.column_stack([column.values for column in given_columns.values()])
    assert np.array_equal(found.values, expected)
    assert found.values.flags.c_contiguous
    assert found.type == node.signature.writes["z"]


@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.FLOAT64])
def test_takes_every_number_and_bool(dtype: DType) -> None:
    """int64, bool, float64 and a vector become one vector of the dtype asked for."""
    params = {"columns": ["i", "b", "v", "f", "i"], "into": "z", "dtype": str(dtype)}
    given: dict[str, list[Any]] = {"i": [3], "b": [True], "f": [0.5], "v": [[1.0, 2.0]]}

    batch = run("Concat", params, TYPES, given)

    assert batch["z"].to_list() == [[3.0, 1.0, 1.0, 2.0, 0.5, 3.0]]
    assert batch["z"].type == ColumnType(dtype, 6)


@pytest.mark.parametrize("gone", ["i", "b", "f", "v"])
def test_a_missing_value_is_nan_at_its_place(gone: str) -> None:
    """The row's other numbers stay, and the vector counts as missing."""
    params = {"columns": ["i", "b", "f", "v"], "into": "z"}
    given: dict[str, list[Any]] = {
        "i": [3, 3],
        "b": [True, True],
        "f": [0.5, 0.5],
        "v": [[1.0, 2.0]] * 2,
    }

    batch = run("Concat", params, TYPES, {**given, gone: [None, given[gone][1]]})

    places = {"i": [0], "b": [1], "f": [2], "v": [3, 4]}[gone]
    assert np.flatnonzero(np.isnan(batch["z"].values[0])).tolist() == places
    assert batch["z"].to_list() == [None, [3.0, 1.0, 0.5, 1.0, 2.0]]


def test_a_number_too_large_for_float32_is_missing() -> None:
    """float64 beyond float32 becomes NaN, never infinite; in float64 it stays."""
    params = {"columns": ["f"], "into": "z"}
    types, given = {"f": DType.FLOAT64}, {"f": [1e39, 1.0]}

    assert run("Concat", params, types, given)["z"].to_list() == [None, [1.0]]
    assert run("Concat", {**params, "dtype": "float64"}, types, given)["z"].to_list()[0] == [1e39]


def test_into_may_replace_a_source() -> None:
    """The vector may take the name of a column it is made of."""
    batch = run("Concat", {"columns": ["i", "i"], "into": "i"}, {"i": DType.INT64}, {"i": [1]})

    assert batch["i"].to_list() == [[1.0, 1.0]]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["t"], r"params.columns\[0\]: column 't' is text"),
        (["i", "d"], r"params.columns\[1\]: column 'd' is datetime"),
        (["w", "w"], "params.columns: a vector of 120000 numbers; at most 100000"),
    ],
)
def test_refuses_what_makes_no_vector(columns: list[str], message: str) -> None:
    """Only numbers and bools, and at most 100,000 of them."""
    types: dict[str, ColumnType | DType] = {
        "t": DType.TEXT,
        "d": DType.DATETIME,
        "i": DType.INT64,
        "w": ColumnType(DType.FLOAT32, 60_000),
    }
    with pytest.raises(ConfigError, match=message):
        build("Concat", {"columns": columns, "into": "z"}, types)


@pytest.mark.parametrize("wrong", [{"dtype": "int64"}, {"columns": []}, {"into": ""}])
def test_refuses_other_params(wrong: dict[str, Any]) -> None:
    """The vector is of floats, has a source and has a name."""
    with pytest.raises(ValidationError):
        build("Concat", {"columns": ["i"], "into": "z", **wrong}, TYPES)
