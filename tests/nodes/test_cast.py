"""Cast: another dtype for columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.nodes.support import build, run
from worker.batch import Batch, ColumnType, DType
from worker.errors import ConfigError, Stage

wholes = st.integers(-(2**63), 2**63 - 1)


def cast(items: list[Any], source: DType | ColumnType, target: DType, **params: str) -> Batch:
    """The column x after the cast."""
    return run("Cast", {"columns": {"x": target}, **params}, {"x": source}, {"x": items})


@given(st.lists(wholes, min_size=1))
def test_text_of_whole_numbers(items: list[int]) -> None:
    """Whole numbers written as text come back exactly, and int64 as text reads the same."""
    texts = [str(item) for item in items]
    assert cast(texts, DType.TEXT, DType.INT64)["x"].to_list() == items
    assert cast(items, DType.INT64, DType.TEXT)["x"].to_list() == texts


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_text_of_floats(items: list[float]) -> None:
    """Floats go to text and back without loss of a bit."""
    texts = cast(items, DType.FLOAT64, DType.TEXT)["x"].to_list()
    assert texts == [repr(item) for item in items]
    assert cast(texts, DType.TEXT, DType.FLOAT64)["x"].to_list() == items


@given(st.lists(st.floats(-(2.0**63), 2.0**63 - 1024), min_size=1))
def test_floats_to_int64_like_pandas(items: list[float]) -> None:
    """A float loses its fraction towards zero, as in pandas."""
    expected = pd.Series(items, dtype="float64").astype("int64").tolist()
    assert cast(items, DType.FLOAT64, DType.INT64)["x"].to_list() == expected


@given(st.lists(wholes, min_size=1), st.sampled_from([DType.FLOAT64, DType.FLOAT32, DType.BOOL]))
def test_int64_to_others_like_numpy(items: list[int], target: DType) -> None:
    """Whole numbers become floats and truth values as numpy's astype gives them."""
    expected = np.array(items, dtype=np.int64).astype(ColumnType(target).numpy).tolist()
    assert cast(items, DType.INT64, target)["x"].to_list() == expected


@pytest.mark.parametrize("target", list(DType))
@pytest.mark.parametrize("source", [*DType])
def test_missing_stays_missing(source: DType, target: DType) -> None:
    """Whatever the way, a missing value stays missing and rejects nothing."""
    try:
        node = build("Cast", {"columns": {"x": target}}, {"x": source})
    except ConfigError:
        assert DType.DATETIME in (source, target)
        return
    after = run("Cast", node.params.model_dump(), {"x": source}, {"x": [None, None]})
    assert after["x"].to_list() == [None, None]
    assert after.marks == ()


@pytest.mark.parametrize(
    ("source", "target", "bad"),
    [
        (DType.TEXT, DType.INT64, ["", "x", "1.5", "1_000", "9" * 30, "9" * 5000, "١٢", "nan"]),
        (DType.TEXT, DType.FLOAT64, ["", "x", "1_0.5", "nan", "inf", "-Infinity", "1e999", "0x1"]),
        (DType.TEXT, DType.FLOAT32, ["1e39", "one"]),
        (DType.TEXT, DType.BOOL, ["", "1", "yes", "tru"]),
        (DType.FLOAT64, DType.INT64, [float("inf"), 2.0**63, -1e300]),
        (DType.FLOAT64, DType.FLOAT32, [1e39, -1e308]),
    ],
)
@pytest.mark.parametrize("alone", [True, False])
def test_no_counterpart(source: DType, target: DType, bad: list[Any], alone: bool) -> None:
    """A value without a counterpart rejects its row only, or is missing where that was asked."""
    good = ["true" if target is DType.BOOL else "12"] if source is DType.TEXT else [12.0]
    items = bad if alone else [*good, *bad, None, *good]
    after = cast(items, source, target)
    (mark,) = after.marks
    assert mark.rows.tolist() == [item in bad for item in items]
    assert (mark.stage, mark.reason) == (Stage.NODE, "CastError")
    for i in range(len(bad)):
        assert f"is no {target}; correct the event or set invalid: missing" in mark.message(i)
        assert len(mark.message(i)) < 200
    lenient = cast(items, source, target, invalid="missing")
    assert lenient.marks == ()
    assert lenient["x"].missing.tolist() == [item in bad or item is None for item in items]
    assert lenient["x"].to_list() == after["x"].to_list()


@pytest.mark.parametrize(
    ("items", "source", "target", "expected"),
    [
        ([" 7 ", "-0", "+5"], DType.TEXT, DType.INT64, [7, 0, 5]),
        ([" .5", "1e3", "-2."], DType.TEXT, DType.FLOAT64, [0.5, 1000.0, -2.0]),
        (["true", "False", " TRUE "], DType.TEXT, DType.BOOL, [True, False, True]),
        ([True, False, None], DType.BOOL, DType.TEXT, ["true", "false", None]),
        ([0.1, 1e10, None], DType.FLOAT32, DType.TEXT, ["0.1", "1e+10", None]),
        ([0.0, 0.5, None], DType.FLOAT64, DType.BOOL, [False, True, None]),
        (["1970-01-01T00:00:01.5"], DType.DATETIME, DType.INT64, [1500]),
        (["1970-01-01T00:00:01.5"], DType.DATETIME, DType.FLOAT64, [1500.0]),
        (["1969-12-31"], DType.DATETIME, DType.TEXT, ["1969-12-31T00:00:00.000Z"]),
        ([float("inf")], DType.FLOAT64, DType.FLOAT32, [float("inf")]),
    ],
)
def test_conversions(items: list[Any], source: DType, target: DType, expected: list[Any]) -> None:
    """What the docstring says about single values."""
    after = cast(items, source, target)
    assert after["x"].to_list() == expected
    assert after.marks == ()


def test_vectors_convert_row_by_row() -> None:
    """A vector is rejected where one component has no counterpart; missing rows stay missing."""
    vector = ColumnType(DType.FLOAT64, 2)
    after = cast([[1.5, 2.0], [1e30, 0.0], None], vector, DType.INT64)
    assert after["x"].to_list() == [[1, 2], None, None]
    assert after.marks[0].rows.tolist() == [False, True, False]
    assert after["x"].type == ColumnType(DType.INT64, 2)


def test_a_row_is_rejected_once() -> None:
    """Where two columns fail, the first one is told."""
    params = {"columns": {"x": "int64", "y": "int64"}}
    types = {"x": DType.TEXT, "y": DType.TEXT}
    after = run("Cast", params, types, {"x": ["a", "1"], "y": ["b", "c"]})
    assert [mark.rows.tolist() for mark in after.marks] == [[True, False], [False, True]]
    assert "column 'x': 'a'" in after.marks[0].message(0)


@pytest.mark.parametrize(
    ("source", "target", "way_out"),
    [
        (ColumnType(DType.TEXT), "datetime", "use ToDatetime"),
        (ColumnType(DType.INT64), "datetime", "use ToDatetime"),
        (ColumnType(DType.DATETIME), "bool", "use DatePart"),
        (ColumnType(DType.DATETIME), "float32", "use DatePart"),
        (ColumnType(DType.FLOAT32, 3), "text", "vectors convert only between numbers and bool"),
    ],
)
def test_no_way(source: ColumnType, target: str, way_out: str) -> None:
    """Where no conversion makes sense the graph is refused, with the way out."""
    with pytest.raises(ConfigError, match=f"cannot become {target}; {way_out}"):
        build("Cast", {"columns": {"x": target}}, {"x": source})
