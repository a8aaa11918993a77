"""StringOp equals pandas' string methods on object columns."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.nodes.support import build, run
from worker.batch import ColumnType, DType
from worker.errors import ConfigError

TEXTS = st.lists(st.none() | st.text())
DTYPES = {"length": DType.INT64, "contains": DType.BOOL}


def in_pandas(method: str, texts: list[str | None], *args: Any, **kwargs: Any) -> list[Any]:
    """What pandas gives, None where missing; a text at the end keeps ``.str`` usable."""
    series = pd.Series([*texts, "text"], dtype=object)
    results = getattr(series.str, method)(*args, **kwargs)
    return [None if pd.isna(result) else result for result in results][:-1]


@pytest.mark.parametrize(
    ("op", "method"), [("lower",) * 2, ("upper",) * 2, ("strip",) * 2, ("length", "len")]
)
@given(texts=TEXTS)
@settings(deadline=None)
def test_equals_pandas(op: str, method: str, texts: list[str | None]) -> None:
    """Any text gives what pandas gives, and missing stays missing."""
    batch = run("StringOp", {"column": "t", "op": op}, {"t": DType.TEXT}, {"t": texts})

    assert batch["t"].to_list() == in_pandas(method, texts)
    assert batch["t"].type == ColumnType(DTYPES.get(op, DType.TEXT))


@given(
    texts=st.lists(st.none() | st.text("aA.*[")),
    text=st.text("aA.*[", min_size=1, max_size=2),
)
@settings(deadline=None)
def test_contains_takes_the_text_literally(texts: list[str | None], text: str) -> None:
    """Signs that mean something in a regular expression mean themselves."""
    params = {"column": "t", "op": "contains", "text": text, "into": "found"}

    batch = run("StringOp", params, {"t": DType.TEXT}, {"t": texts})

    assert batch["found"].to_list() == in_pandas("contains", texts, text, regex=False)
    assert batch["found"].type == ColumnType(DType.BOOL)


def test_into_leaves_the_column_as_it_was() -> None:
    """With ``into`` the result is another column."""
    params = {"column": "t", "op": "upper", "into": "loud"}

    batch = run("StringOp", params, {"t": DType.TEXT}, {"t": ["a", None]})

    assert batch["t"].to_list() == ["a", None]
    assert batch["loud"].to_list() == ["A", None]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"column": "t", "op": "contains"}, "params.text: contains needs"),
        ({"column": "t", "op": "lower", "text": "a"}, "params.text: lower takes no text"),
        ({"column": "i", "op": "lower"}, "params.column: column 'i' is int64"),
    ],
)
def test_refuses_what_does_not_fit(params: dict[str, Any], message: str) -> None:
    """The column is text, and only ``contains`` has a text to look for."""
    with pytest.raises(ConfigError, match=message):
        build("StringOp", params, {"t": DType.TEXT, "i": DType.INT64})
