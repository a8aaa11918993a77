"""Log1p is numpy's, with a missing value where there is no logarithm."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.nodes.support import build, run
from worker.batch import ColumnType, DType
from worker.errors import ConfigError


@given(values=st.lists(st.floats(min_value=-1, exclude_min=True, allow_infinity=False)))
@settings(deadline=None)
def test_equals_numpy_above_minus_one(values: list[float]) -> None:
    """Every number above -1 gives exactly numpy.log1p."""
    batch = run("Log1p", {"columns": ["x"]}, {"x": DType.FLOAT64}, {"x": values})

    assert np.array_equal(batch["x"].values, np.log1p(np.array(values, dtype=np.float64)))


@given(values=st.lists(st.floats(max_value=-1, allow_infinity=False)))
@settings(deadline=None)
def test_is_missing_from_minus_one_down(values: list[float]) -> None:
    """Numbers of -1 and below become missing."""
    batch = run("Log1p", {"columns": ["x"]}, {"x": DType.FLOAT64}, {"x": values})

    assert batch["x"].to_list() == [None] * len(values)


@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.FLOAT64, DType.INT64])
def test_every_number_becomes_float64(dtype: DType) -> None:
    """The result is float64 for any number, and missing stays missing."""
    batch = run("Log1p", {"columns": ["x"]}, {"x": dtype}, {"x": [0, None, 1]})

    assert batch["x"].type == ColumnType(DType.FLOAT64)
    assert batch["x"].to_list() == [0.0, None, np.log(2)]


def test_refuses_text_and_a_column_named_twice() -> None:
    """Both problems are reported at once, each at its place."""
    with pytest.raises(ConfigError) as caught:
        build("Log1p", {"columns": ["t", "t"]}, {"t": DType.TEXT})

    paths = {problem.path for problem in caught.value.problems}
    assert paths == {"params.columns[0]", "params.columns[1]"}
