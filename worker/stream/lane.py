"""A lane: one assignment of one partition. Revoked means gone: nothing late can touch the next."""

from __future__ import annotations

import asyncio
import sys
import time

from aiokafka import TopicPartition

from worker.stream.frontier import Frontier, Span


class Lane:
    """What the worker holds for a partition while it is assigned.

    Attributes:
        partition: of the source topic.
        frontier: what may be committed.
        committed: the offset last committed by this lane, None before the first.
        open: False once revoked; records that arrive later are not taken.
        most: records that may be taken in one part.
        moved_s: on the performance counter, when the frontier was last seen to move, or to have
            nothing before it.
    """

    def __init__(self, partition: TopicPartition, start: int, committed: int | None) -> None:
        self.partition = partition
        self.frontier = Frontier(start)
        self.committed = committed
        self.open = True
        self.most = sys.maxsize
        self.moved_s = time.perf_counter()
        self._noted = start
        self._idle = asyncio.Event()
        self._idle.set()

    def take(self, end: int, events: int, first_ms: int) -> Span:
        """Records up to before ``end`` are in work; the first has the timestamp ``first_ms``."""
        self._idle.clear()
        return self.frontier.take(end, events, first_ms)

    def done(self, span: Span) -> None:
        """All outcomes of the span are acknowledged."""
        self.frontier.done(span)
        if self.frontier.in_flight == 0:
            self._idle.set()

    def put_back(self, span: Span) -> int:
        """The span that was taken last is in work no more; the offset to read again from."""
        self.frontier.put_back(span)
        if self.frontier.in_flight == 0:
            self._idle.set()
        return self.frontier.taken

    def rewind(self) -> int:
        """Nothing is in work any more; the offset to read again from."""
        self._idle.set()
        return self.frontier.rewind()

    def restart(self, start: int) -> None:
        """Goes on from another offset; nothing may be in work."""
        self.frontier = Frontier(start)

    def note(self, lag: int, now_s: float) -> None:
        """Looks whether the frontier moves; ``lag`` is what lies before it."""
        position = self.frontier.position
        if lag == 0 or position != self._noted:
            self._noted, self.moved_s = position, now_s

    def late_s(self, now_s: float, now_ms: float) -> float:
        """The age of the oldest event in work; where none is, for how long none moved on."""
        first_ms = self.frontier.first_ms
        if first_ms is None:
            return now_s - self.moved_s
        return max(now_ms - first_ms, 0) / 1_000

    @property
    def to_commit(self) -> int | None:
        """The offset to commit, None where nothing has moved."""
        position = self.frontier.position
        return None if position == self.committed else position

    @property
    def at_rest(self) -> bool:
        """Whether nothing of this lane is in flight."""
        return self._idle.is_set()

    async def idle(self) -> None:
        """Returns when nothing of this lane is in flight."""
        await self._idle.wait()
