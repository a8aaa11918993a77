"""Lists over the rows of a batch without some of them, and with None in their places again.

Few are gone, as a rule: then taking out, or putting in, one by one is quickest.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import TypeVar

import numpy as np

FEW = 16
"""One of so many: beyond that all are copied at once."""

ItemT = TypeVar("ItemT")


def without(items: Sequence[ItemT], gaps: Sequence[int]) -> list[ItemT]:
    """The items that do not stand at the gaps, which ascend."""
    if len(gaps) * FEW > len(items):
        return list(compress(items, _kept(gaps, len(items))))
    found = list(items)
    for gap in reversed(gaps):
        del found[gap]
    return found


def with_gaps(items: Sequence[ItemT], gaps: Sequence[int]) -> list[ItemT | None]:
    """The items, and None at the gaps, which ascend."""
    n = len(items) + len(gaps)
    if len(gaps) * FEW > n:
        places = np.full(n, None, dtype=object)
        places[np.frombuffer(_kept(gaps, n), dtype=np.bool_)] = items
        return list(places.tolist())
    found: list[ItemT | None] = list(items)
    for gap in gaps:
        found.insert(gap, None)
    return found


def _kept(gaps: Sequence[int], n: int) -> bytes:
    kept = bytearray(b"\1") * n
    for gap in gaps:
        kept[gap] = 0
    return bytes(kept)
