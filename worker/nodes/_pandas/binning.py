"""The operation cut: numbers to labelled intervals."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, StrictBool, StrictStr, field_validator

from worker.batch import NUMBERS, Column, DType
from worker.nodes._changes import Change
from worker.nodes._fit import Number, common_dtype
from worker.nodes._intervals import Bins, edges_of, interval, label_table
from worker.nodes._names import MAX_ENTRIES
from worker.nodes._pandas.operation import Kwargs, Operation, PerColumn
from worker.nodes.base import Columns

_MAX_PRECISION = 20


class CutKwargs(Kwargs):
    """The edges, what the intervals are called, and which edges belong to them."""

    bins: Bins
    labels: (
        Annotated[list[StrictStr] | list[Number], Field(max_length=MAX_ENTRIES)]
        | Literal[False]
        | None
    ) = None
    right: StrictBool = True
    include_lowest: StrictBool = False
    precision: Annotated[int, Field(strict=True, ge=0, le=15)] = 3
    ordered: StrictBool = True

    @field_validator("bins", mode="before")
    @classmethod
    def _edges(cls, bins: Any) -> Any:
        if isinstance(bins, int):
            raise ValueError(
                "a count of bins depends on the other rows; give the edges that training found"
            )
        return bins


def _cut(columns: Columns, kwargs: CutKwargs, _: str, given: DType) -> Change:
    edges = edges_of(columns, "kwargs.bins", kwargs.bins, given)
    labels: list[Any] = list(range(edges.n - 1))
    if isinstance(kwargs.labels, list):
        labels = kwargs.labels
    elif kwargs.labels is None:
        labels = interval_names(kwargs)
    if isinstance(kwargs.labels, list) and kwargs.ordered:
        _check_distinct(columns, kwargs.labels)
    dtype = common_dtype(labels) if labels else DType.TEXT
    table = label_table(columns, "kwargs.labels", labels, dtype, edges.n - 1)
    lowest = float(kwargs.bins[0]) if isinstance(kwargs.bins[0], str) else kwargs.bins[0]

    def apply(column: Column) -> Column:
        found = interval(column, edges, right=kwargs.right)
        if kwargs.include_lowest:
            found[(column.values == lowest) & ~column.missing] = 1
        return table.take(found)

    return Change(dtype, apply)


def _check_distinct(columns: Columns, labels: Sequence[object]) -> None:
    seen: set[object] = set()
    for i, label in enumerate(labels):
        if label in seen:
            message = f"{label!r} is given twice; pandas takes that with ordered: false only"
            columns.problem(f"kwargs.labels[{i}]", message, sure=True)
        seen.add(label)


def interval_names(kwargs: CutKwargs) -> list[str]:
    """The intervals as pandas writes them, such as ``(17, 30]``."""
    bins: Sequence[float] = [float(e) if isinstance(e, str) else e for e in kwargs.bins]
    if any(isinstance(edge, float) for edge in bins):
        bins = [float(edge) for edge in bins]
    precision = next(
        (
            digits
            for digits in range(kwargs.precision, _MAX_PRECISION)
            if len({_shortened(edge, digits) for edge in bins}) == len(set(bins))
        ),
        kwargs.precision,
    )
    breaks = [_shortened(edge, precision) for edge in bins]
    if kwargs.right and kwargs.include_lowest:
        breaks[0] -= 10.0**-precision
        breaks = [float(edge) for edge in breaks]
    opening, closing = ("(", "]") if kwargs.right else ("[", ")")
    pairs = itertools.pairwise(breaks)
    return [f"{opening}{low}, {high}{closing}" for low, high in pairs]


def _shortened(edge: float, precision: int) -> float:
    """The edge with ``precision`` digits of its fraction, counted from the first that is not 0."""
    if not math.isfinite(edge) or edge == 0 or isinstance(edge, int):
        return edge
    fraction, whole = math.modf(edge)
    digits = precision if whole else -math.floor(math.log10(abs(fraction))) - 1 + precision
    return float(np.around(edge, digits))


OPERATIONS: dict[str, Operation[Any]] = {
    "cut": PerColumn(CutKwargs, "the interval it lies in; missing outside all", _cut, NUMBERS),
}
