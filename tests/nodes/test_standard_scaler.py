"""StandardScaler equals scikit-learn's transform, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from pydantic import ValidationError
from sklearn.preprocessing import StandardScaler

from tests.nodes.support import build, run
from worker.batch import ColumnType, DType
from worker.errors import ConfigError

MATRICES = arrays(np.float64, array_shapes(min_dims=2, max_dims=2), elements=st.floats(-1e6, 1e6))


@given(matrix=MATRICES)
@settings(deadline=None)
def test_equals_scikit_learn(matrix: NDArray[np.float64]) -> None:
    """With mean_ and scale_ of a fitted scaler, each column is that scaler's."""
    scaler = StandardScaler().fit(matrix)
    names = [f"x{i}" for i in range(matrix.shape[1])]
    params = {"columns": names, "mean": scaler.mean_.tolist(), "scale": scaler.scale_.tolist()}

    batch = run(
        "StandardScaler",
        params,
        dict.fromkeys(names, DType.FLOAT64),
        dict(zip(names, matrix.T.tolist(), strict=True)),
    )

    found = np.stack([batch[name].values for name in names], axis=1)
    assert np.array_equal(found, scaler.transform(matrix))


@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.FLOAT64, DType.INT64])
def test_every_number_becomes_float64(dtype: DType) -> None:
    """The result is float64 for any number, and missing stays missing."""
    params = {"columns": ["x"], "mean": [1], "scale": [2]}

    batch = run("StandardScaler", params, {"x": dtype}, {"x": [4, None]})

    assert batch["x"].to_list() == [1.5, None]
    assert batch["x"].type == ColumnType(DType.FLOAT64)


def test_an_overflow_is_missing() -> None:
    """A result beyond float64 is missing, never infinite."""
    params = {"columns": ["x"], "mean": [0.0], "scale": [1e-300]}

    batch = run("StandardScaler", params, {"x": DType.FLOAT64}, {"x": [1e100, -1e100, 0.0]})

    assert batch["x"].to_list() == [None, None, 0.0]


def test_refuses_lists_of_other_lengths() -> None:
    """Each column has its mean and its scale; all problems are reported at once."""
    params = {"columns": ["x", "x"], "mean": [0.0], "scale": [1.0, 1.0, 1.0]}

    with pytest.raises(ConfigError) as caught:
        build("StandardScaler", params, {"x": DType.FLOAT64})

    paths = [problem.path for problem in caught.value.problems]
    assert paths == ["params.columns[1]", "params.mean", "params.scale"]


@pytest.mark.parametrize(
    "wrong", [{"scale": [0]}, {"scale": [-1]}, {"mean": [True]}, {"mean": ["1"]}]
)
def test_refuses_what_is_no_mean_or_scale(wrong: dict[str, Any]) -> None:
    """A scale is above zero, and a bool or text is no number."""
    params = {"columns": ["x"], "mean": [0.0], "scale": [1.0], **wrong}

    with pytest.raises(ValidationError):
        build("StandardScaler", params, {"x": DType.FLOAT64})
