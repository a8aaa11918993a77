"""Workers that break their promise, each in one way: the checker must catch every one of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from faults.instead import instead_of
from worker.codec.outcome import Outcomes
from worker.stream import pump
from worker.stream.link import Link
from worker.stream.publish import Publisher, Segment
from worker.stream.record import Record
from worker.stream.transaction import Writer

EVERY = 1_000
Change = Callable[[list[Segment], list[Record], list[int], Outcomes], list[int]]
"""Changes a batch before it is published; rows that are published once more."""


@dataclass(frozen=True, slots=True)
class Way:
    """One kind of sabotage.

    Attributes:
        build_in: changes the worker's code in this process.
        betrayed_by: the field of a verdict that must not be 0.
        crash_at: the crash point that brings it to light; empty where none is needed.
        guarantee: that the worker pretends to keep.
        commits: whether its group gets to the end of the topic.
    """

    build_in: Callable[[], None]
    betrayed_by: str
    crash_at: str = ""
    guarantee: str = "at_least_once"
    commits: bool = True


def _commit_before_produce() -> None:
    """Offsets are committed when records are taken."""

    @instead_of(pump, "take")
    async def taking(take: Any, link: Link, *given: Any) -> Any:
        taken = await take(link, *given)
        for part in taken:
            part.lane.done(part.span)
        await link.delivery.commit([part.lane for part in taken])
        return taken


def _forget_the_offset() -> None:
    """Transactions hold outcomes, and no offset."""

    @instead_of(Writer, "_await_answers")
    async def answers(_: Any, self: Writer, __: int) -> None:
        for ticket in self._work:
            for future in ticket.futures:
                await future


def _published(change: Change) -> None:
    @instead_of(Publisher, "publish")
    async def publishing(
        publish: Any,
        self: Publisher,
        segments: list[Segment],
        records: list[Record],
        stamps_ms: list[int],
        outcomes: Outcomes,
    ) -> Any:
        again = change(segments, records, stamps_ms, outcomes)
        futures = await publish(self, segments, records, stamps_ms, outcomes)
        for row in again:
            copy = [Segment(records[row].partition, row, row + 1)]
            futures += await publish(self, copy, records, stamps_ms, Outcomes(outcomes.values))
        return futures


def _rows() -> Callable[[Outcomes], list[int]]:
    """Of the scored rows of a batch, those that are one in `EVERY` over all batches."""
    count = itertools.count(1)

    def chosen(outcomes: Outcomes) -> list[int]:
        scored = (row for row, value in enumerate(outcomes.values) if value is not None)
        return [row for row in scored if next(count) % EVERY == 0]

    return chosen


def _drop() -> None:
    """One in a thousand is left out, and its offset committed."""
    chosen = _rows()

    def change(_: Any, __: Any, ___: Any, outcomes: Outcomes) -> list[int]:
        for row in chosen(outcomes):
            outcomes.values[row] = None
        return []

    _published(change)


def _duplicate() -> None:
    """One in a thousand is sent twice."""
    chosen = _rows()
    _published(lambda _, __, ___, outcomes: chosen(outcomes))


def _alter() -> None:
    """One bit of one in a thousand is another; the record stays valid JSON."""
    chosen = _rows()

    def change(_: Any, __: Any, ___: Any, outcomes: Outcomes) -> list[int]:
        for row in chosen(outcomes):
            value = bytearray(outcomes.values[row] or b"")
            value[value.rindex(b"0" if b"0" in value else b"1")] ^= 1
            outcomes.values[row] = bytes(value)
        return []

    _published(change)


def _reorder() -> None:
    """Two events of one key change their places, in every batch that has such."""

    def change(
        segments: list[Segment], records: list[Record], stamps: list[int], outcomes: Outcomes
    ) -> list[int]:
        for segment in segments:
            scored = [r for r in range(segment.start, segment.end) if outcomes.values[r]]
            first = {records[row].key: row for row in reversed(scored)}
            pairs = ((first[records[row].key], row) for row in scored)
            a, b = next((pair for pair in pairs if pair[0] != pair[1]), (0, 0))
            columns: tuple[list[Any], ...] = (records, stamps, outcomes.values)
            for column in columns:
                column[a], column[b] = column[b], column[a]
        return []

    _published(change)


WAYS: dict[str, Way] = {
    "commit before produce": Way(_commit_before_produce, "lost", crash_at="after score"),
    "drop one in a thousand": Way(_drop, "lost"),
    "duplicate one in a thousand": Way(_duplicate, "duplicated"),
    "reorder two of a key": Way(_reorder, "reordered"),
    "alter a byte": Way(_alter, "altered"),
    "transactions without offsets": Way(
        _forget_the_offset, "duplicated", "after commit", "exactly_once", commits=False
    ),
}
