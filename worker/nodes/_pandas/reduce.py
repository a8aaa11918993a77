"""Operations over the columns of a row: sum, mean, min, max."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, StrictBool, field_validator

from worker.batch import NUMBERS, Batch, Column, ColumnType, DType
from worker.nodes._floats import as_float64, finite_or_nan, wrapped
from worker.nodes._pandas.operation import Call, Effect, Kwargs, Operation, PerFrame, fitting

_LARGEST = np.iinfo(np.int64)


class AxisKwargs(Kwargs):
    """``axis: 1``, the columns of a row; whether missing values are left out."""

    axis: Literal[1, "columns"]
    skipna: StrictBool = True

    @field_validator("axis", mode="before")
    @classmethod
    def _across(cls, axis: Any) -> Any:
        if axis in (0, "index", "rows"):
            raise ValueError("goes over rows, and no event depends on its neighbours; use axis: 1")
        return axis


class SumKwargs(AxisKwargs):
    """Further, how many values must be present."""

    min_count: Annotated[int, Field(strict=True, ge=0)] = 0


class _Reduction:
    """One kind of sum; column after column, so that a row gives the same in every batch."""

    def __init__(self, fold: Callable[[Any, Any], Any], start: float, least: int) -> None:
        """Takes the fold, what stands for missing values, and how many must be present."""
        self._fold, self._start, self._least = fold, start, least

    def __call__(self, call: Call, kwargs: AxisKwargs, word: str) -> Effect:
        named = call.cols or fitting(call.columns, NUMBERS)
        types = [call.columns.need(path, name, NUMBERS).dtype for path, name in named]
        names = tuple(name for _, name in named)
        whole = all(dtype is DType.INT64 for dtype in types) and word != "mean"
        dtype = DType.INT64 if whole else DType.FLOAT64
        needed = max(self._least, getattr(kwargs, "min_count", 0))
        target = _target(call, names, word)

        def apply(batch: Batch) -> Batch:
            found = self._over([batch[name] for name in names], whole=whole)
            total, present = found
            least = needed if kwargs.skipna else len(names)
            if word == "mean":
                total = total / np.maximum(present, 1)
            if not whole:
                total = finite_or_nan(total)
            return batch.with_columns({target: Column(total, present >= least)})

        return Effect(names, {target: ColumnType(dtype)}, apply)

    def _over(
        self, parts: Sequence[Column], *, whole: bool
    ) -> tuple[NDArray[Any], NDArray[np.int64]]:
        start = self._start
        if whole and not np.isfinite(start):
            start = _LARGEST.max if start > 0 else _LARGEST.min
        filled = []
        for part in parts:
            values = part.values if whole else as_float64(part)
            filled.append(np.where(part.missing, start, values).astype(values.dtype, copy=False))
        with np.errstate(all="ignore"):
            total = reduce(self._fold, filled)
            if whole:
                rough = reduce(self._fold, [values.astype(np.float64) for values in filled])
        present = sum(((~part.missing).astype(np.int64) for part in parts), np.int64(0))
        if whole:  # a sum that left int64 has as many values as none
            present = np.where(wrapped(total, rough), -1, present)
        return total, np.asarray(present)


def _target(call: Call, names: tuple[str, ...], word: str) -> str:
    """The one name for the result."""
    if len(call.into) == 1:
        return call.into[0]
    if call.into:
        call.columns.problem("into", f"{word} gives one column; name one", sure=True)
    elif len(names) > 1 or not (names or call.columns.complete):
        message = f"{word} makes one column of {len(names) or 'all'}; name it"
        call.columns.problem("into", message, sure=True)
    return names[0] if names and call.inplace else f"{names[0] if names else 'x'}_{word}"


OPERATIONS: dict[str, Operation[Any]] = {
    "sum": PerFrame(SumKwargs, "of several columns", _Reduction(np.add, 0, 0)),
    "mean": PerFrame(AxisKwargs, "of several columns", _Reduction(np.add, 0, 1)),
    "min": PerFrame(AxisKwargs, "the least of several columns", _Reduction(np.minimum, np.inf, 1)),
    "max": PerFrame(
        AxisKwargs, "the greatest of several columns", _Reduction(np.maximum, -np.inf, 1)
    ),
}
