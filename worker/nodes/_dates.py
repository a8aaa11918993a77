"""Parts of datetimes as numbers, by calendar arithmetic of numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from worker.batch import Column, Rows

Part = Literal[
    "year", "month", "day", "hour", "minute", "second", "dayofweek", "dayofyear", "quarter"
]
Instants = NDArray[np.datetime64]


def _whole(instants: Instants, unit: str) -> Instants:
    """The instants cut off to a calendar unit."""
    return instants.astype(f"datetime64[{unit}]")


def _count(instants: Instants, unit: str) -> Rows:
    """Calendar units since 1970-01-01."""
    return _whole(instants, unit).astype(np.int64)


def _since(instants: Instants, start: str, unit: str) -> Rows:
    """Whole units since the start of the enclosing one, such as days in the year."""
    return _count(instants, unit) - _count(_whole(instants, start), unit)


PARTS: dict[Part, Callable[[Instants], Rows]] = {
    "year": lambda at: _count(at, "Y") + 1970,
    "month": lambda at: _count(at, "M") % 12 + 1,
    "day": lambda at: _since(at, "M", "D") + 1,
    "hour": lambda at: _count(at, "h") % 24,
    "minute": lambda at: _count(at, "m") % 60,
    "second": lambda at: _count(at, "s") % 60,
    "dayofweek": lambda at: (_count(at, "D") + 3) % 7,  # 1970-01-01 was a Thursday
    "dayofyear": lambda at: _since(at, "Y", "D") + 1,
    "quarter": lambda at: _count(at, "M") % 12 // 3 + 1,
}


def part(column: Column, name: Part) -> Column:
    """That part of a ``(n,)`` datetime column as int64; missing stays missing."""
    missing = column.missing
    return Column(PARTS[name](column.values), None if not missing.any() else ~missing)
