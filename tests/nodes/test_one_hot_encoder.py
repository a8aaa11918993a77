"""OneHotEncoder equals pandas.get_dummies and scikit-learn with fixed categories."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sklearn.preprocessing import OneHotEncoder

from tests.nodes.support import build, run
from worker.batch import ColumnType, DType
from worker.errors import ConfigError

CATEGORIES: dict[DType, list[Any]] = {
    DType.TEXT: ["b", "a", "true", "1"],
    DType.INT64: [0, 3, -1],
    DType.BOOL: [False, True],
}
UNKNOWN: dict[DType, list[Any]] = {DType.TEXT: ["c", ""], DType.INT64: [1, 2**62], DType.BOOL: []}
COLUMN = st.sampled_from(list(CATEGORIES)).flatmap(
    lambda dtype: st.tuples(
        st.just(dtype), st.lists(st.sampled_from([None, *CATEGORIES[dtype], *UNKNOWN[dtype]]))
    )
)


@given(column=COLUMN)
@settings(deadline=None)
def test_equals_pandas_get_dummies(column: tuple[DType, list[Any]]) -> None:
    """Same names, same order, same values; unknown and missing values are all zeros."""
    dtype, values = column
    known = [value if value in CATEGORIES[dtype] else None for value in values]
    categorical = pd.Categorical(known, categories=CATEGORIES[dtype])
    expected = pd.get_dummies(pd.Series(categorical), prefix="x", dtype=np.float32)

    batch = run("OneHotEncoder", {"columns": {"x": CATEGORIES[dtype]}}, {"x": dtype}, {"x": values})

    assert list(batch.columns) == list(expected.columns)
    for name in expected.columns:
        assert np.array_equal(batch[name].values, expected[name].to_numpy())
        assert batch[name].type == ColumnType(DType.FLOAT32)


@given(values=st.lists(st.text("abc", max_size=1), min_size=1))
@settings(deadline=None)
def test_equals_scikit_learn_ignoring_the_unknown(values: list[str]) -> None:
    """The columns side by side are scikit-learn's matrix with handle_unknown="ignore"."""
    encoder = OneHotEncoder(
        categories=[["b", "a"]], handle_unknown="ignore", sparse_output=False, dtype=np.float32
    ).fit(np.array([["a"]], dtype=object))
    expected = encoder.transform(np.array(values, dtype=object)[:, None])

    batch = run("OneHotEncoder", {"columns": {"x": ["b", "a"]}}, {"x": DType.TEXT}, {"x": values})

    assert np.array_equal(np.stack([batch["x_b"].values, batch["x_a"].values], axis=1), expected)


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("OneHotEncoder", {"columns": {"x": ["b", "a"]}}),
        ("OrdinalEncoder", {"columns": {"x": ["b", "a"]}}),
        ("Map", {"column": "x", "mapping": {"b": "B", "a": None}, "into": "y"}),
        ("Pandas", {"import": "map", "cols": "x", "kwargs": {"arg": {"b": "B", "a": None}}}),
        ("Pandas", {"import": "get_dummies", "cols": "x", "categories": ["b", "a"]}),
        ("Processor", {"kind": "OneHotEncoder", "params": {"columns": {"x": ["b", "a"]}}}),
    ],
)
@given(values=st.lists(st.none() | st.sampled_from(["a", "b", "c", ""])))
def test_unknown_values_are_counted(
    kind: str, params: dict[str, Any], values: list[str | None]
) -> None:
    """What is none of the categories or keys is told by its column; what is missing is not."""
    unknown = sum(value is not None and value not in ("a", "b") for value in values)

    batch = run(kind, params, {"x": DType.TEXT}, {"x": values})

    assert batch.unknown == ({"x": unknown} if unknown else {})


def test_each_new_column_is_contiguous() -> None:
    """A new column is a row of its block, so that stacking it into a matrix reads it in order."""
    batch = run("OneHotEncoder", {"columns": {"x": [1, 2]}}, {"x": DType.INT64}, {"x": [1, 2, 2]})

    assert all(column.values.flags.c_contiguous for column in batch.columns.values())


def test_missing_int64_is_not_category_zero() -> None:
    """What fills a missing int64 in memory does not count as its value."""
    batch = run("OneHotEncoder", {"columns": {"x": [0]}}, {"x": DType.INT64}, {"x": [None, 0]})

    assert batch["x_0"].to_list() == [0.0, 1.0]


def test_keep_leaves_the_source() -> None:
    """With ``keep`` the source column stays and is not reported as removed."""
    params = {"columns": {"x": ["a"]}, "keep": True}

    batch = run("OneHotEncoder", params, {"x": DType.TEXT}, {"x": ["a"]})

    assert set(batch.columns) == {"x", "x_a"}
    assert build("OneHotEncoder", params, {"x": DType.TEXT}).signature.removes == ()


def test_a_new_column_may_replace_a_source_that_goes() -> None:
    """A source that is removed anyway leaves its name free."""
    node = build(
        "OneHotEncoder",
        {"columns": {"a": ["b"], "a_b": ["c"]}},
        {"a": DType.TEXT, "a_b": DType.TEXT},
    )

    assert node.signature.removes == ("a",)
    assert set(node.signature.writes) == {"a_b", "a_b_c"}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"columns": {"a": ["b_c"], "a_b": ["c"]}}, r"columns.a_b\[0\]: 'a_b_c' is also"),
        ({"columns": {"a": ["x"]}}, r"columns.a\[0\]: the new column 'a_x' would replace"),
        ({"columns": {"a": ["b"], "a_b": ["c"]}, "keep": True}, r"'a_b' would replace another"),
        ({"columns": {"a": ["b", "b"]}}, r"columns.a\[1\]: the same value as"),
        ({"columns": {"a": [1]}}, r"columns.a\[0\]: 1 is no text"),
        ({"columns": {"i": ["1"]}}, r"columns.i\[0\]: '1' is no int64"),
        ({"columns": {"i": [True]}}, r"columns.i\[0\]: True is no int64"),
        ({"columns": {"f": [1]}}, r"columns.f: column 'f' is float64"),
        ({"columns": {"A": ["b"]}}, r"columns.A: no column 'A' .* did you mean 'a'"),
    ],
)
def test_refuses_names_and_categories_that_do_not_fit(params: dict[str, Any], message: str) -> None:
    """Collisions and categories of another type than the column are found before any event."""
    types = {
        "a": DType.TEXT,
        "a_b": DType.TEXT,
        "a_x": DType.TEXT,
        "i": DType.INT64,
        "f": DType.FLOAT64,
    }
    with pytest.raises(ConfigError, match=message):
        build("OneHotEncoder", params, types)


@pytest.mark.parametrize("categories", [[], ["x"] * 10_001, [None], [1.5]])
def test_refuses_too_few_too_many_and_other_categories(categories: list[Any]) -> None:
    """A list has 1 to 10,000 categories, each a text, a whole number, true or false."""
    with pytest.raises(ValidationError):
        build("OneHotEncoder", {"columns": {"a": categories}}, {"a": DType.TEXT})
