"""Lists over the rows of a batch of which some are gone."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from worker.codec.gaps import FEW, with_gaps, without

_ALL = [True] * FEW


@given(st.lists(st.booleans(), max_size=4 * FEW))
@example([])
@example(_ALL)
@example([False, *_ALL])
@example([*_ALL, False])
@example([*_ALL, False, False, *_ALL, *_ALL])
def test_taking_out_and_putting_in_again(live: list[bool]) -> None:
    """As one would do it row by row, however many are gone; the list that is given stays."""
    items = [f"item {i}" for i in range(len(live))]
    gaps = [i for i, alive in enumerate(live) if not alive]
    kept = [item for item, alive in zip(items, live, strict=True) if alive]
    found = without(items, gaps)
    assert found == kept
    again = with_gaps(found, gaps)
    assert again == [item if alive else None for item, alive in zip(items, live, strict=True)]
    assert found == kept
    assert items == [f"item {i}" for i in range(len(live))]
