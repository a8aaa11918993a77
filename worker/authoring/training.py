"""The matrix of features and the labels of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from worker.authoring import frames
from worker.authoring.estimators import Task
from worker.batch import FLOATS, NUMBERS, Batch, Column, DType
from worker.errors import ConfigError, Problem, nearest

if TYPE_CHECKING:
    import pandas as pd

_FEATURES = NUMBERS | {DType.BOOL}


@dataclass(frozen=True, slots=True)
class Table:
    """What a model learns from.

    Attributes:
        features: ``(n, k)`` float32, NaN where missing.
        label: ``(n,)`` int64, float64 or text; None without one.
    """

    features: NDArray[np.float32]
    label: NDArray[Any] | None


def table_of(frame: pd.DataFrame, features: list[str], label: str | None, task: Task) -> Table:
    """The features in their order, vectors side by side, and the label.

    Raises:
        ConfigError: every column that is not there, or of no use.
    """
    batch, unfit = frames.to_batch(frame)
    problems: list[Problem] = []
    arrays = []
    for i, name in enumerate(features):
        column = _column(batch, unfit, name, f"features[{i}]", problems)
        if column is None:
            continue
        if column.type.dtype not in _FEATURES:
            message = f"'{name}' is {column.type}; encode it: map, get_dummies or OneHotEncoder"
            problems.append(Problem(f"features[{i}]", message))
            continue
        values = column.values.astype(np.float32)
        if column.valid is not None:
            values[~column.valid] = np.nan
        arrays.append(values)
    target = None
    if label is not None and task is not Task.SCALER:
        column = _column(batch, unfit, label, "label", problems)
        target = None if column is None else _label(column, label, task, problems)
    if len(batch) == 0:
        problems.append(Problem("data", "has no rows"))
    if problems:
        raise ConfigError(problems)
    return Table(np.column_stack(arrays).astype(np.float32), target)


def _column(
    batch: Batch, unfit: dict[str, str], name: str, path: str, problems: list[Problem]
) -> Column | None:
    if name in batch.columns:
        return batch[name]
    if name in unfit:
        problems.append(Problem(path, f"'{name}' {unfit[name]}"))
    else:
        problems.append(Problem(path, f"no column '{name}'{nearest(name, batch.columns)}"))
    return None


def _label(column: Column, name: str, task: Task, problems: list[Problem]) -> Any:
    kind = column.type
    if column.missing.any():
        count = int(column.missing.sum())
        problems.append(Problem("label", f"'{name}' is missing in {count} rows; drop them"))
        return None
    if kind.length is not None or kind.dtype is DType.DATETIME:
        problems.append(Problem("label", f"'{name}' is {kind}, which no model can tell"))
        return None
    if task is Task.REGRESSOR:
        if kind.dtype is DType.TEXT:
            problems.append(Problem("label", f"'{name}' is text; a regressor tells numbers"))
            return None
        return column.values.astype(np.float64)
    if kind.dtype in FLOATS:
        whole = np.rint(column.values)
        if not np.array_equal(whole, column.values):
            message = f"'{name}' has fractions; a classifier tells classes, a regressor numbers"
            problems.append(Problem("label", message))
            return None
        return whole.astype(np.int64)
    return column.values.astype(str if kind.dtype is DType.TEXT else np.int64)
