"""cut and get_dummies equal pandas'."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.nodes._pandas.truth import Items, result, series, values
from tests.nodes.support import build, run
from worker.batch import Batch, DType
from worker.errors import ConfigError

edges = st.lists(st.integers(-50, 50), min_size=2, max_size=6, unique=True).map(sorted)
fractions = st.lists(st.floats(-50, 50), min_size=2, max_size=6, unique=True).map(sorted)
numbers = st.lists(st.none() | st.integers(-60, 60))


def names(cut: pd.Series[Any]) -> Items:
    """The categories' own names; read one by one they would depend on missing neighbours."""
    categories = [*map(str, cut.cat.categories), None]
    return [categories[code] for code in cut.cat.codes]


@given(numbers, edges, st.booleans(), st.booleans())
def test_cut_by_whole_edges(items: Items, bins: list[int], right: bool, lowest: bool) -> None:
    """Labels, codes and the intervals' own names, with every way to include the edges."""
    truth = series(items, DType.INT64)
    ways = {"right": right, "include_lowest": lowest}
    labels = [chr(97 + i) for i in range(len(bins) - 1)]
    for given_labels in (labels, False, list(range(10, 9 + len(bins)))):
        expected = values(pd.cut(truth, bins, labels=given_labels, **ways))
        kwargs = {"bins": bins, "labels": given_labels, **ways}
        assert result("cut", items, DType.INT64, **kwargs) == expected
    named = names(pd.cut(truth, bins, **ways))
    assert result("cut", items, DType.INT64, bins=bins, **ways) == named


@pytest.mark.parametrize("lowest", [True, False])
def test_cut_of_ids(lowest: bool) -> None:
    """int64 beyond float64: edges and values that differ by one are told apart."""
    items, bins = [2**53, 2**53 + 1, 2**53 + 2, 2**53 + 3], [2**53, 2**53 + 1, 2**53 + 2]
    kwargs = {"bins": bins, "labels": False, "include_lowest": lowest}
    expected = values(pd.cut(pd.Series(items), bins, labels=False, include_lowest=lowest))
    assert result("cut", items, DType.INT64, **kwargs) == expected


def test_labels_may_repeat_without_an_order() -> None:
    """As in pandas."""
    kwargs = {"bins": [0, 1, 2], "labels": ["a", "a"], "ordered": False}
    assert result("cut", [1.0, 2.0], DType.FLOAT64, **kwargs) == ["a", "a"]


@given(st.lists(st.none() | st.floats(-60, 60)), fractions, st.booleans())
def test_cut_by_fractions(items: Items, bins: list[float], right: bool) -> None:
    """Edges with fractions: a number on an edge lies on the side that is included."""
    items = [*items, *bins]
    truth = series(items, DType.FLOAT64)
    expected = values(pd.cut(truth, bins, labels=False, right=right))
    assert result("cut", items, DType.FLOAT64, bins=bins, labels=False, right=right) == expected


@pytest.mark.parametrize(
    "bins",
    [
        [0, 17.5, 30],
        [0.12345, 1.23456, 2.0],
        [1.00001, 1.00002, 1.5],
        [-0.001234, 0.0, 100.55555],
        [1e-7, 2e-7, 3.0],
    ],
)
@pytest.mark.parametrize("lowest", [True, False])
def test_names_of_intervals(bins: list[float], lowest: bool) -> None:
    """Without labels an interval is written as pandas writes it, with its precision."""
    items = [float(edge) for edge in bins]
    expected = names(pd.cut(pd.Series(items), bins, include_lowest=lowest))
    found = result("cut", items, DType.FLOAT64, bins=bins, include_lowest=lowest)
    assert found == expected


def test_infinite_edges() -> None:
    """The outermost edges may be infinite, written as text."""
    bins, items = [-np.inf, 17.5, np.inf], [3.0, 17.5, 99.0, None]
    expected = names(pd.cut(pd.Series(items), bins))
    assert result("cut", items, DType.FLOAT64, bins=["-inf", 17.5, "inf"]) == expected


DUMMIES: list[dict[str, Any]] = [
    {},
    {"dtype": "float32"},
    {"dtype": "int"},
    {"drop_first": True},
    {"dummy_na": True, "dtype": "uint8"},
    {"prefix": "is", "prefix_sep": ":"},
    {"prefix": {"s": "S", "i": "I"}},
    {"prefix": ["S", "I"], "drop_first": True, "dummy_na": True},
]
CATEGORIES: dict[str, list[Any]] = {"s": ["b", "a", "ä"], "i": [3, 1]}


def dummies(rows: list[tuple[Any, Any]], kwargs: dict[str, Any]) -> Batch:
    """Both columns encoded."""
    given_rows = {"s": [row[0] for row in rows], "i": [row[1] for row in rows]}
    params = {
        "import": "get_dummies",
        "kwargs": kwargs,
        "cols": ["s", "i"],
        "categories": CATEGORIES,
    }
    return run("Pandas", params, {"s": DType.TEXT, "i": DType.INT64}, given_rows)


@pytest.mark.parametrize("kwargs", DUMMIES, ids=str)
@given(
    rows=st.lists(
        st.tuples(
            st.none() | st.sampled_from(["a", "b", "ä", "other"]),
            st.none() | st.sampled_from([1, 3, 7]),
        )
    )
)
def test_get_dummies(kwargs: dict[str, Any], rows: list[tuple[Any, Any]]) -> None:
    """With the same categories: the same columns, in the same order, with the same values.

    A category that is unknown is missing in pandas' categorical; dummy_na tells only the missing.
    """
    if kwargs.get("dummy_na"):
        rows = [(s if s != "other" else None, i if i != 7 else None) for s, i in rows]
    table = pd.DataFrame(
        {
            name: pd.Categorical(
                [row[i] if row[i] in CATEGORIES[name] else None for row in rows],
                categories=CATEGORIES[name],
            )
            for i, name in enumerate(CATEGORIES)
        }
    )
    expected = pd.get_dummies(table, columns=["s", "i"], **kwargs)
    expected.columns = [name.removesuffix(".0") for name in expected.columns]
    after = dummies(rows, kwargs)
    assert list(after.columns) == list(expected.columns)
    assert {n: after[n].to_list() for n in after.columns} == {
        n: expected[n].tolist() for n in expected.columns
    }


def test_categories_of_one_column() -> None:
    """One column takes a list; a bool's categories are named as pandas names them."""
    params = {"import": "get_dummies", "cols": "x", "categories": [False, True]}
    after = run("Pandas", params, {"x": DType.BOOL}, {"x": [True, None]})
    assert {name: after[name].to_list() for name in after.columns} == {
        "x_False": [False, False],
        "x_True": [True, False],
    }


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"import": "cut", "kwargs": {"bins": 4}, "cols": "i"}, "depends on the other rows"),
        ({"import": "cut", "kwargs": {"bins": [1, 0]}, "cols": "i"}, "edges must ascend"),
        (
            {"import": "cut", "kwargs": {"bins": [1, 2], "labels": []}, "cols": "i"},
            "0 labels, but 1 intervals",
        ),
        (
            {"import": "cut", "kwargs": {"bins": [1, 2, 3], "labels": ["a", "a"]}, "cols": "i"},
            r"kwargs.labels\[1\]: 'a' is given twice; pandas takes that with ordered: false",
        ),
        (
            {
                "import": "get_dummies",
                "kwargs": {"dummy_na": True},
                "cols": "s",
                "categories": ["a", "nan"],
            },
            r"categories.s\[1\]: 'nan' is what dummy_na calls missing values",
        ),
        ({"import": "get_dummies", "cols": "s"}, "params.categories: one event knows no categor"),
        ({"import": "get_dummies"}, "name those of column 's'"),
        ({"import": "get_dummies", "categories": ["a"]}, "a list needs one column in cols"),
        ({"import": "get_dummies", "cols": "s", "categories": [1]}, "1 is no text"),
        (
            {"import": "get_dummies", "cols": "s", "categories": ["a"], "into": "y"},
            "get_dummies names its columns itself",
        ),
        ({"import": "abs", "cols": "i", "categories": ["a"]}, "only get_dummies takes them"),
        (
            {"import": "get_dummies", "kwargs": {"prefix": ["p"]}, "categories": CATEGORIES},
            "needs one for each of s, i",
        ),
        (
            {"import": "get_dummies", "kwargs": {"prefix": ""}, "categories": CATEGORIES},
            None,
        ),
        (
            {
                "import": "get_dummies",
                "kwargs": {"prefix": "@to", "prefix_sep": ""},
                "cols": "s",
                "categories": ["pic"],
            },
            r"categories.s\[0\]: the new column '@topic': names that begin with @ are reserved",
        ),
        (
            {
                "import": "get_dummies",
                "kwargs": {"columns": ["i"]},
                "cols": "s",
                "categories": ["a"],
            },
            "params.kwargs.columns: cols names them already",
        ),
        (
            {"import": "get_dummies", "cols": ["s"], "categories": CATEGORIES},
            "params.categories.i: 'i' is none of the columns that are encoded",
        ),
        ({"import": "cut", "kwargs": {"bins": [0, 10**400]}, "cols": "i"}, "within float64"),
        (
            {"import": "cut", "kwargs": {"bins": [0, 1], "labels": [2**63]}, "cols": "i"},
            r"kwargs.labels\[0\]: 9223372036854775808 is outside int64",
        ),
    ],
)
def test_refused(params: dict[str, Any], problem: str | None) -> None:
    """One event knows neither bins nor categories: the graph must name them."""
    types = {"s": DType.TEXT, "i": DType.INT64}
    if problem is None:
        assert build("Pandas", params, types).signature.removes == ("i", "s")
        return
    with pytest.raises(ConfigError, match=problem):
        build("Pandas", params, types)
