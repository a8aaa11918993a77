"""Arithmetic calculates in float64, and what has no finite result is missing."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.nodes.support import build, run
from worker.batch import ColumnType, DType
from worker.errors import ConfigError

OPERATORS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
TYPES = {"a": DType.FLOAT64, "b": DType.FLOAT64, "i": DType.INT64, "t": DType.TEXT}
NUMBERS = st.lists(st.tuples(*[st.none() | st.floats(allow_infinity=False, allow_nan=False)] * 2))


@given(op=st.sampled_from(list(OPERATORS)), rows=NUMBERS)
@settings(deadline=None)
def test_equals_pandas_with_infinity_as_missing(
    op: str, rows: list[tuple[float | None, float | None]]
) -> None:
    """Two columns give what pandas gives, where pandas' infinities count as missing."""
    left, right = ([row[i] for row in rows] for i in range(2))
    frame = pd.DataFrame({"a": left, "b": right}, dtype=np.float64)
    expected = OPERATORS[op](frame.a, frame.b).replace([np.inf, -np.inf], np.nan)

    batch = run(
        "Arithmetic",
        {"left": "a", "op": op, "right": "b", "into": "c"},
        {"a": DType.FLOAT64, "b": DType.FLOAT64},
        {"a": left, "b": right},
    )

    assert np.array_equal(batch["c"].values, expected.to_numpy(), equal_nan=True)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [("i", 2, [1.0, None]), (2, "i", [-1.0, None]), ("i", 0.5, [2.5, None])],
)
def test_either_side_may_be_a_number(
    left: str | float, right: str | float, expected: list[float | None]
) -> None:
    """A number stands for a column of it; an int64 that is missing gives a missing result."""
    params = {"left": left, "op": "-", "right": right, "into": "c"}

    batch = run("Arithmetic", params, {"i": DType.INT64}, {"i": [3, None]})

    assert batch["c"].to_list() == expected
    assert batch["c"].type == ColumnType(DType.FLOAT64)


def test_into_may_replace_an_operand() -> None:
    """The result may take the place of a column it was calculated from."""
    params = {"left": "a", "op": "+", "right": "a", "into": "a"}

    batch = run("Arithmetic", params, {"a": DType.FLOAT32}, {"a": [1.5, None]})

    assert batch["a"].to_list() == [3.0, None]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"left": 1, "right": 2}, "params.left: left and right are both numbers"),
        ({"left": "a", "right": "c"}, "params.right: no column 'c'"),
        ({"left": "a", "right": "5"}, "params.right: no column '5'"),
        ({"left": "t", "right": 1}, "params.left: column 't' is text"),
        ({"left": "a", "right": 0, "op": "/"}, "params.right: dividing by 0"),
    ],
)
def test_refuses_what_cannot_be_calculated(params: dict[str, Any], message: str) -> None:
    """Operands are checked before the first event, and text is never read as a number."""
    with pytest.raises(ConfigError, match=message):
        build("Arithmetic", {"op": "+", "into": "z", **params}, TYPES)


@pytest.mark.parametrize("operand", [True, float("nan"), float("inf"), None, 10**400])
def test_refuses_operands_that_are_no_finite_number(operand: object) -> None:
    """A bool is no number, and neither are NaN and infinity."""
    with pytest.raises(ValidationError):
        build("Arithmetic", {"left": "a", "op": "+", "right": operand, "into": "z"}, TYPES)
