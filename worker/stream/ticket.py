"""A batch between the pump and the acknowledgement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from worker.codec.outcome import Outcomes
from worker.stream.frontier import Span
from worker.stream.lane import Lane
from worker.stream.outbox import Future
from worker.stream.publish import Segment
from worker.stream.record import Record


@dataclass(frozen=True, slots=True)
class Taken:
    """Consecutive records of one lane, noted there as in work."""

    lane: Lane
    span: Span
    records: list[Record]


@dataclass(slots=True)
class Ticket:
    """One scored batch of ``n`` records on its way.

    Attributes:
        epoch: the delivery's when its records were taken.
        taken: what it took of each lane, noted there.
        segments: where in ``records`` each of ``taken`` stands.
        records: ``n``, one part of ``taken`` after the other; ``timestamps_ms`` and ``outcomes``
            likewise.
        more: whether records were waiting behind it.
        futures: what must be acknowledged, once it is sent.
        sent_s: when that was, on the performance counter.
    """

    epoch: int
    taken: list[Taken]
    segments: list[Segment]
    records: list[Record]
    timestamps_ms: list[int]
    outcomes: Outcomes
    more: bool
    futures: list[Future] = field(default_factory=list)
    sent_s: float = 0.0

    def parts(self) -> Iterator[Ticket]:
        """The same outcomes, each part of ``taken`` by itself."""
        if len(self.taken) == 1:
            yield self
            return
        for part, segment in zip(self.taken, self.segments, strict=True):
            start, end = segment.start, segment.end
            yield Ticket(
                self.epoch,
                [part],
                [Segment(segment.partition, 0, end - start)],
                part.records,
                self.timestamps_ms[start:end],
                self.outcomes.part(start, end),
                self.more,
            )


def joined(taken: Iterable[Taken]) -> tuple[list[Segment], list[Record]]:
    """The records of a batch one after the other, and where each lane's stand."""
    segments: list[Segment] = []
    records: list[Record] = []
    for part in taken:
        start = len(records)
        records += part.records
        segments.append(Segment(part.lane.partition.partition, start, len(records)))
    return segments, records
