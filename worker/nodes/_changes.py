"""Changes of columns, side by side, and the simple ones in a column's own dtype."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from worker.batch import Batch, Column, DType, Mask
from worker.nodes._floats import round_floats
from worker.nodes._values import shown


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one column.

    Attributes:
        dtype: of the result.
        apply: gives it for the column, and for each of ``also``.
        also: further columns it is made of.
        error: a row whose value is present and has no result is rejected under this name; empty
            where it becomes missing.
        vanishes: the rows whose value is present and rightly has no result.
        way_out: what a rejection advises.
        counts: whether ``apply`` also gives how many values it does not know.
    """

    dtype: DType
    apply: Callable[..., Any]
    also: tuple[str, ...] = ()
    error: str = ""
    vanishes: Callable[[Column], Mask] | None = None
    way_out: str = "correct the event"
    counts: bool = False


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes side by side; a row is rejected for the first column that fails.

    Attributes:
        changes: the column for the result -> the source column, and its change.
    """

    changes: Mapping[str, tuple[str, Change]]

    def __call__(self, batch: Batch) -> Batch:
        new, unknown = {}, {}
        marked, rejected = batch, None
        for target, (name, change) in self.changes.items():
            column = batch[name]
            made = change.apply(column, *(batch[other] for other in change.also))
            if change.counts:
                made, unknown[name] = made
            new[target] = made
            if not change.error:
                continue
            failed = new[target].missing & ~column.missing
            if change.vanishes is not None and failed.any():
                failed &= ~change.vanishes(column)
            if rejected is not None:
                failed &= ~rejected
            rejected = failed if rejected is None else rejected | failed
            if failed.any():
                messages = [
                    f"column '{name}': {shown(value)} is no {change.dtype}; {change.way_out}"
                    for value in column.take(failed).to_list()
                ]
                marked = marked.reject(failed, change.error, messages)
        return marked.with_columns(new).count_unknown(unknown)


def filled(column: Column, fill: Any) -> Column:
    """The column with ``fill``, fitted to its dtype, where a value is missing."""
    missing = column.missing
    if not missing.any():
        return column
    values = column.values.copy()
    values[missing] = fill
    return Column(values)


def rounded(column: Column, decimals: int) -> Column:
    """Floats rounded half to even; those that would overflow stay. int64 has no decimals."""
    if column.values.dtype.kind != "f":
        return column
    return Column(round_floats(column.values, decimals))


def clipped(column: Column, lower: Any, upper: Any) -> Column:
    """Numbers moved to the nearest bound; None does not bind. Missing stays missing."""
    return Column(np.clip(column.values, lower, upper), column.valid)
