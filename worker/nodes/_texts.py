"""One call per text of a column."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from worker.batch import Column, ColumnType, DType


def each_text(column: Column, call: Callable[[str], Any], dtype: DType) -> Column:
    """What ``call`` gives for each text of an ``(n,)`` column; missing stays missing."""
    if column.valid is None:
        texts = column.values.tolist()
        return Column(np.fromiter(map(call, texts), ColumnType(dtype).numpy, len(texts)))
    texts = column.values[column.valid].tolist()
    values = np.zeros(len(column), dtype=ColumnType(dtype).numpy)
    values[column.valid] = np.fromiter(map(call, texts), values.dtype, len(texts))
    return Column(values, column.valid)
