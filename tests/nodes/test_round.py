"""Round is numpy's and pandas': a half goes to the even neighbour."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.nodes.support import build, run
from worker.batch import ColumnType, DType
from worker.errors import ConfigError


@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.FLOAT64])
@given(
    values=st.lists(st.none() | st.floats(-(2**30), 2**30, width=32)),
    decimals=st.integers(-4, 6),
)
@settings(deadline=None)
def test_equals_pandas(dtype: DType, values: list[float | None], decimals: int) -> None:
    """Floats of either width are rounded as a pandas series of that width is."""
    expected = pd.Series(values, dtype=str(dtype)).round(decimals).to_numpy()

    batch = run("Round", {"columns": ["x"], "decimals": decimals}, {"x": dtype}, {"x": values})

    assert np.array_equal(batch["x"].values, expected, equal_nan=True)
    assert batch["x"].type == ColumnType(dtype)


def test_a_half_goes_to_the_even_neighbour() -> None:
    """0.5 and 2.5 go down, 1.5 and 3.5 go up."""
    values = [0.5, 1.5, 2.5, 3.5, -0.5, -1.5]

    batch = run("Round", {"columns": ["x"]}, {"x": DType.FLOAT64}, {"x": values})

    assert batch["x"].to_list() == [0.0, 2.0, 2.0, 4.0, 0.0, -2.0]


def test_large_numbers_stay() -> None:
    """Where numpy's rounding overflows to infinity, the number stays as it is."""
    batch = run(
        "Round",
        {"columns": ["x", "y"], "decimals": 15},
        {"x": DType.FLOAT64, "y": DType.FLOAT32},
        {"x": [1e300, -1e300], "y": [2.0**120, 0.5]},
    )

    assert batch["x"].to_list() == [1e300, -1e300]
    assert batch["y"].to_list() == [2.0**120, 0.5]


def test_int64_stays_exact() -> None:
    """An int64 column keeps its values, also those that float64 cannot hold."""
    given = [2**53 + 1, None, -7]

    batch = run("Round", {"columns": ["i"], "decimals": 2}, {"i": DType.INT64}, {"i": given})

    assert batch["i"].to_list() == given


def test_refuses_to_round_int64_to_tens() -> None:
    """Negative decimals need floats; the message says Cast."""
    with pytest.raises(ConfigError, match=r"params.decimals: column 'i' is int64; Cast it"):
        build("Round", {"columns": ["i"], "decimals": -1}, {"i": DType.INT64})


@pytest.mark.parametrize("decimals", [True, "1", 1.0, 16, -16])
def test_refuses_other_decimals(decimals: object) -> None:
    """Decimals are a whole number from -15 to 15, written as one."""
    with pytest.raises(ValidationError):
        build("Round", {"columns": ["x"], "decimals": decimals}, {"x": DType.FLOAT64})
