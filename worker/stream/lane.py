"""A lane: one assignment of one partition. Revoked means gone: nothing late can touch the next."""

from __future__ import annotations

import asyncio

from aiokafka import TopicPartition

from worker.stream.frontier import Frontier, Span


class Lane:
    """What the worker holds for a partition while it is assigned.

    Attributes:
        partition: of the source topic.
        frontier: what may be committed.
        committed: the offset last committed by this lane, None before the first.
        open: False once revoked; records that arrive later are not taken.
        settled_ms: timestamp of the last record that was settled, None before the first.
    """

    def __init__(self, partition: TopicPartition, start: int, committed: int | None) -> None:
        self.partition = partition
        self.frontier = Frontier(start)
        self.committed = committed
        self.open = True
        self.settled_ms: int | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    def take(self, end: int, events: int) -> Span:
        """Records up to before ``end`` are in work."""
        self._idle.clear()
        return self.frontier.take(end, events)

    def done(self, span: Span) -> None:
        """All outcomes of the span are acknowledged."""
        self.frontier.done(span)
        if self.frontier.in_flight == 0:
            self._idle.set()

    def rewind(self) -> int:
        """Nothing is in work any more; the offset to read again from."""
        self._idle.set()
        return self.frontier.rewind()

    def restart(self, start: int) -> None:
        """Goes on from another offset; nothing may be in work."""
        self.frontier = Frontier(start)

    @property
    def to_commit(self) -> int | None:
        """The offset to commit, None where nothing has moved."""
        position = self.frontier.position
        return None if position == self.committed else position

    async def idle(self) -> None:
        """Returns when nothing of this lane is in flight."""
        await self._idle.wait()
