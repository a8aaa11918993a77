"""Outcomes: one per record, also of a part of a batch."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from worker.codec.outcome import Drop, Outcomes
from worker.errors import Fault, Stage

KINDS = st.lists(st.sampled_from(["scored", "dropped", "rejected"]), max_size=30)


@given(KINDS, st.data())
def test_parts_are_the_whole(kinds: list[str], data: st.DataObject) -> None:
    """Cut anywhere, the parts say of each record what the whole says, rows counted anew."""
    whole = Outcomes(
        [b"%d" % row if kind == "scored" else None for row, kind in enumerate(kinds)],
        [Fault(n, Stage.NODE, "E", f"{n}") for n, kind in enumerate(kinds) if kind == "rejected"],
        [Drop(n, f"{n}") for n, kind in enumerate(kinds) if kind == "dropped"],
        [f"topic-{n}" for n in range(len(kinds))],
    )
    cut = data.draw(st.integers(0, len(kinds)))
    parts = (whole.part(0, cut), whole.part(cut, len(kinds)))
    told = [
        (row + offset, getattr(one, "reason", getattr(one, "message", one)))
        for offset, part in zip((0, cut), parts, strict=True)
        for row, one in enumerate(part)
    ]
    assert [value for part in parts for value in part.values] == whole.values
    assert [fault.row for fault in parts[1].faults] == [
        fault.row - cut for fault in whole.faults if fault.row >= cut
    ]
    assert told == [
        (row, getattr(one, "reason", getattr(one, "message", one))) for row, one in enumerate(whole)
    ]
