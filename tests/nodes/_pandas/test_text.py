"""The accessor str equals pandas'."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.nodes._pandas.truth import TEXT, Items, result, series, texts, values, words
from tests.nodes.support import build, run
from worker.batch import DType
from worker.errors import ConfigError

ALIKE: list[tuple[str, dict[str, Any]]] = [
    ("lower", {}),
    ("upper", {}),
    ("strip", {}),
    ("lstrip", {}),
    ("rstrip", {}),
    ("strip", {"to_strip": "ab "}),
    ("lstrip", {"to_strip": "a"}),
    ("rstrip", {"to_strip": "B1"}),
    ("replace", {"pat": "a", "repl": "xyz"}),
    ("replace", {"pat": ".", "repl": "", "n": 1, "regex": False}),
    ("replace", {"pat": "ab", "repl": "b", "n": 0}),
    ("slice", {"start": 1}),
    ("slice", {"start": -2, "stop": None}),
    ("slice", {"start": 3, "stop": 0, "step": -1}),
    ("len", {}),
    ("contains", {"pat": "a"}),
    ("contains", {"pat": ".", "regex": False}),
    ("contains", {"pat": "aB", "case": False}),
    ("contains", {"pat": "A", "case": False}),
    ("contains", {"pat": "ß", "case": False, "regex": False}),
    ("contains", {"pat": "a", "na": True}),
    ("startswith", {"pat": "a"}),
    ("endswith", {"pat": "b", "na": True}),
]


@pytest.mark.parametrize(("method", "kwargs"), ALIKE)
@given(items=texts)
def test_equal(method: str, kwargs: dict[str, Any], items: Items) -> None:
    """Each method gives what pandas gives, for missing texts too."""
    expected = values(getattr(series(items, DType.TEXT).str, method)(**kwargs))
    assert result(f"str.{method}", items, DType.TEXT, **kwargs) == expected


@given(texts, words, words, st.integers(-1, 3))
def test_replace_any_text(items: Items, pat: str, repl: str, n: int) -> None:
    """Whatever stands in the literal, it is no pattern."""
    pat = pat or "-"
    expected = values(series(items, DType.TEXT).str.replace(pat, repl, n=n, regex=False))
    assert result("str.replace", items, DType.TEXT, pat=pat, repl=repl, n=n) == expected


@given(
    texts,
    st.none() | st.integers(-9, 9),
    st.none() | st.integers(-9, 9),
    st.sampled_from([None, 1, 2, -1]),
)
def test_slice_any_positions(items: Items, start: Any, stop: Any, step: Any) -> None:
    """Positions count from both ends, and past them."""
    kwargs = {"start": start, "stop": stop, "step": step}
    expected = values(series(items, DType.TEXT).str.slice(**kwargs))
    assert result("str.slice", items, DType.TEXT, **kwargs) == expected


@given(texts, st.lists(words, max_size=3))
def test_one_of_several_starts(items: Items, starts: list[str]) -> None:
    """A list asks for any of its texts."""
    expected = values(series(items, DType.TEXT).str.startswith(tuple(starts)))
    assert result("str.startswith", items, DType.TEXT, pat=starts) == expected


@given(
    st.lists(st.tuples(st.none() | words, st.none() | words, st.none() | words)),
    words,
    st.none() | words,
)
def test_cat(rows: list[tuple[Any, Any, Any]], sep: str, na_rep: str | None) -> None:
    """Texts side by side; missing where one is, or with na_rep in its place."""
    frame = {name: [row[i] for row in rows] for i, name in enumerate("xab")}
    kwargs = {"others": ["a", "b"], "sep": sep, "na_rep": na_rep}
    table = {name: pd.Series(column, dtype=TEXT) for name, column in frame.items()}
    expected = values(table["x"].str.cat([table["a"], table["b"]], sep=sep, na_rep=na_rep))
    params = {"import": "str.cat", "kwargs": kwargs, "cols": "x", "inplace": True}
    after = run("Pandas", params, dict.fromkeys(frame, DType.TEXT), frame)
    assert after["x"].to_list() == expected


@pytest.mark.parametrize(
    ("operation", "kwargs", "problem"),
    [
        ("contains", {"pat": "a.c"}, "set regex: false to look for them as they are"),
        ("replace", {"pat": "a+", "repl": "", "regex": True}, "regular expressions are not run"),
        ("slice", {"step": 0}, "step cannot be 0"),
        ("contains", {"pat": 1}, "params.kwargs.pat: must be text, not 1"),
        ("cat", {"others": "b"}, "no column 'b' reaches this node"),
        ("lower", {"locale": "tr"}, "params.kwargs.locale: is no known key"),
        ("strip", {"to_stripp": "a"}, "is no known key; did you mean 'to_strip'"),
    ],
)
def test_refused(operation: str, kwargs: dict[str, Any], problem: str) -> None:
    """Patterns that could run for ever, and keywords of a wrong kind, with the way out."""
    params = {"import": f"str.{operation}", "kwargs": kwargs, "cols": "x"}
    with pytest.raises(ConfigError, match=problem):
        build("Pandas", params, {"x": DType.TEXT})
