"""Categories that the features of a model name."""

from __future__ import annotations

from typing import Any

import pytest

from worker.batch import DType
from worker.graph.categories import _typed


@pytest.mark.parametrize(
    ("texts", "dtype", "expected"),
    [
        (["1", "-2", "x"], DType.INT64, [1, -2, "x"]),
        (["1", "--1"], DType.INT64, [1, "--1"]),
        (["1", "\u0661"], DType.INT64, [1, "\u0661"]),
        (["01", "1"], DType.INT64, ["01", "1"]),
        (["True", "False"], DType.BOOL, [True, False]),
        (["1"], DType.TEXT, ["1"]),
    ],
)
def test_categories_have_the_columns_type(texts: list[str], dtype: DType, expected: Any) -> None:
    """Only what is a whole number as it is written becomes one."""
    assert _typed(texts, dtype) == expected
