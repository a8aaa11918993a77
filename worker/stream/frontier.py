"""The commit frontier of one assignment of a partition: pure, no Kafka."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(slots=True)
class Span:
    """Consecutive records of one partition that were taken together.

    Attributes:
        end: the offset after the last of them.
        events: how many records; offsets have gaps where a topic was compacted.
        first_ms: timestamp of the first of them.
        done: whether every outcome is acknowledged.
    """

    end: int
    events: int
    first_ms: int
    done: bool = False


class Frontier:
    """The lowest offset whose outcome is not acknowledged; what may be committed.

    Attributes:
        position: that offset.
        taken: the offset after the last record that was taken.
        in_flight: records taken, but not behind the frontier yet.
    """

    def __init__(self, start: int) -> None:
        """``start``: the offset at which this assignment begins to read."""
        self.position = start
        self.taken = start
        self.in_flight = 0
        self._open: deque[Span] = deque()

    @property
    def first_ms(self) -> int | None:
        """Timestamp of the first record in work, None where none is."""
        return self._open[0].first_ms if self._open else None

    def take(self, end: int, events: int, first_ms: int = 0) -> Span:
        """Notes that records up to before offset ``end`` are in work, the first of ``first_ms``.

        Raises:
            ValueError: ``end`` is not beyond what was taken before: records came twice.
        """
        if end <= self.taken:
            raise ValueError(f"offset {end - 1} was taken before; taken up to {self.taken - 1}")
        span = Span(end, events, first_ms)
        self._open.append(span)
        self.taken = end
        self.in_flight += events
        return span

    def done(self, span: Span) -> None:
        """Notes that all outcomes of the span are acknowledged; the frontier moves if it can."""
        span.done = True
        while self._open and self._open[0].done:
            first = self._open.popleft()
            self.position = first.end
            self.in_flight -= first.events

    def put_back(self, span: Span) -> None:
        """Forgets the span that was taken last: it is taken again later. Any other stays."""
        if self._open and self._open[-1] is span:
            self._open.pop()
            self.in_flight -= span.events
            self.taken = self._open[-1].end if self._open else self.position

    def skip(self, position: int) -> None:
        """Moves on over offsets without a record for us: markers, aborted or compacted records."""
        if not self._open and position > self.taken:
            self.position = self.taken = position

    def rewind(self) -> int:
        """Forgets everything in work; reading starts again at the returned position."""
        self._open.clear()
        self.in_flight = 0
        self.taken = self.position
        return self.position
