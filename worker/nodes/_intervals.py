"""Numbers to the intervals between ascending edges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from worker.batch import Column, DType, Rows
from worker.nodes._fit import Number, fit
from worker.nodes._names import MAX_ENTRIES
from worker.nodes.base import Columns

Infinite: TypeAlias = Literal["-inf", "inf"]
"""An infinite bound is text, since JSON has no number for it."""

_INT64_END = 2**63


def _within_float64(edge: float | str) -> float | str:
    try:
        float(edge)
    except OverflowError:  # an int may have any size
        raise ValueError("must be within float64") from None
    return edge


Bins = Annotated[
    list[Annotated[Number | Infinite, AfterValidator(_within_float64)]],
    Field(min_length=2, max_length=MAX_ENTRIES),
]


@dataclass(frozen=True, slots=True)
class Edges:
    """Ascending edges, as `interval` searches them.

    Attributes:
        inner: all of them as float64; or, where they and the column are whole, the finite ones as
            int64, since float64 has one value for several numbers above 2^53.
        before: how many infinite ones stand before ``inner``.
        n: how many there are.
    """

    inner: NDArray[Any]
    before: int
    n: int


def edges_of(columns: Columns, path: str, bins: Sequence[float | str], dtype: DType) -> Edges:
    """The edges for a column of that dtype; notes disorder."""
    edges = [float(edge) if isinstance(edge, str) else edge for edge in bins]
    for i in range(1, len(edges)):
        if not edges[i - 1] < edges[i]:
            columns.problem(f"{path}[{i}]", "edges must ascend", sure=True)
    finite = [edge for edge in edges if abs(edge) != math.inf]
    whole = [edge for edge in finite if isinstance(edge, int) and abs(edge) < _INT64_END]
    if dtype is DType.INT64 and len(whole) == len(finite):
        return Edges(np.array(whole, dtype=np.int64), int(edges[0] == -math.inf), len(edges))
    return Edges(np.array(edges, dtype=np.float64), 0, len(edges))


def label_table(columns: Columns, path: str, labels: Sequence[Any], dtype: DType, n: int) -> Column:
    """A missing one, then the labels as ``dtype``; notes if there is not one for each interval.

    Args:
        columns: takes the problems.
        path: of the param that lists them.
        labels: text or numbers.
        dtype: of the result.
        n: how many intervals there are.
    """
    if len(labels) != n:
        columns.problem(
            path, f"{len(labels)} labels, but {n} intervals between the bins", sure=True
        )
    held: list[Any] = [None]
    for i, label in enumerate(labels):
        try:
            held.append(fit(label, dtype))
        except ValueError as error:
            columns.problem(f"{path}[{i}]", str(error), sure=True)
    return Column.of(held, dtype)


def interval(column: Column, edges: Edges, *, right: bool) -> Rows:
    """``(n,)`` the interval each number lies in, from 1; 0 if it is outside all, or missing."""
    found = edges.inner.searchsorted(column.values, "left" if right else "right") + edges.before
    found[(found == edges.n) | column.missing] = 0
    return found.astype(np.int64, copy=False)
