"""Numbers to the intervals between ascending edges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from worker.batch import Column, DType, Rows
from worker.nodes._fit import Number
from worker.nodes._names import MAX_ENTRIES
from worker.nodes.base import Columns

Infinite: TypeAlias = Literal["-inf", "inf"]
"""An infinite bound is text, since JSON has no number for it."""

_INT64_END = 2**63

Bins = Annotated[list[Number | Infinite], Field(min_length=2, max_length=MAX_ENTRIES)]


def edges_of(
    columns: Columns, path: str, bins: Sequence[float | str], dtype: DType
) -> NDArray[Any]:
    """The edges as numbers, int64 where all are whole and so is the column; notes disorder."""
    whole = [edge for edge in bins if isinstance(edge, int) and abs(edge) < _INT64_END]
    exact = dtype is DType.INT64 and len(whole) == len(bins)
    edges = np.array(whole) if exact else np.array([float(edge) for edge in bins])
    for i in range(1, len(edges)):
        if not edges[i - 1] < edges[i]:
            columns.problem(f"{path}[{i}]", "edges must ascend", sure=True)
    return edges


def check_labels(columns: Columns, path: str, labels: Sequence[object], n: int) -> None:
    """Notes a problem if there is not one label for each of the ``n`` intervals."""
    if len(labels) != n:
        columns.problem(
            path, f"{len(labels)} labels, but {n} intervals between the bins", sure=True
        )


def interval(column: Column, edges: NDArray[Any], *, right: bool) -> Rows:
    """``(n,)`` the interval each number lies in, from 1; 0 if it is outside all, or missing."""
    found = edges.searchsorted(column.values, "left" if right else "right")
    found[(found == len(edges)) | column.missing] = 0
    return found.astype(np.int64, copy=False)
