"""Crash points: places at which a worker ends with nothing finished, nothing flushed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

from faults.instead import instead_of
from worker.stream import pump
from worker.stream.assignment import Assignment
from worker.stream.committer import Committer
from worker.stream.dead_letters import DeadLetters
from worker.stream.link import Link
from worker.stream.publish import Publisher
from worker.stream.pump import Pump
from worker.stream.transaction import Writer

CODE = 70
"""With which a crashed worker ends: whether its point was reached can be told from it."""
ON_THE_WAY_S = 0.002
"""So long after a batch was handed over, its requests are on the way or at the broker."""


class Crash:
    """Ends the process when it is reached, after so many times that are passed over."""

    def __init__(self, skip: int) -> None:
        self._left = skip

    def reached(self) -> None:
        """The point is passed once more, or not."""
        if self._left == 0:
            os._exit(CODE)
        self._left -= 1


def _after_poll(crash: Crash) -> None:
    @instead_of(pump, "take")
    async def taking(take: Any, *given: Any) -> Any:
        taken = await take(*given)
        if taken:
            crash.reached()
        return taken


def _after_score(crash: Crash) -> None:
    @instead_of(Pump, "_score")
    async def scoring(score: Any, *given: Any) -> Any:
        outcomes = await score(*given)
        crash.reached()
        return outcomes


def _after_send(crash: Crash) -> None:
    """What was handed to the producer is on the way."""

    async def on_the_way(_: Any) -> None:
        await asyncio.sleep(ON_THE_WAY_S)

    _published(crash, on_the_way)


def _after_flush(crash: Crash) -> None:
    """Kafka has acknowledged every outcome, and the worker has not noted it."""
    _published(crash, asyncio.wait)


def _published(crash: Crash, meanwhile: Callable[[Any], Any]) -> None:
    @instead_of(Publisher, "publish")
    async def publishing(publish: Any, *given: Any) -> Any:
        futures = await publish(*given)
        if futures:
            await meanwhile(futures)
            crash.reached()
        return futures


def _before_commit(crash: Crash) -> None:
    @instead_of(Committer, "commit")
    async def committing(commit: Any, self: Committer, lanes: Any) -> None:
        if any(lane.to_commit for lane in lanes):
            crash.reached()
        await commit(self, lanes)

    @instead_of(Writer, "_await_answers")
    async def answered(answers: Any, self: Writer, end: int) -> None:
        await answers(self, end)
        if self._work:  # a transaction may be of an offset alone
            crash.reached()


def _after_commit(crash: Crash) -> None:
    @instead_of(Committer, "commit")
    async def committing(commit: Any, self: Committer, lanes: Any) -> None:
        moved = any(lane.to_commit for lane in lanes)
        await commit(self, lanes)
        if moved:
            crash.reached()

    @instead_of(Writer, "_settle")
    def settling(settle: Any, self: Writer, end: int) -> None:
        if self._work:
            crash.reached()
        settle(self, end)


def _in_dead_letter(crash: Crash) -> None:
    """One dead letter of a batch is made, the batch is not sent."""

    @instead_of(DeadLetters, "add")
    async def adding(add: Any, *given: Any) -> None:
        await add(*given)
        crash.reached()


def _in_revoke(crash: Crash) -> None:
    """Partitions are being taken away, and what is in flight is not settled."""

    @instead_of(Assignment, "close")
    async def closing(close: Any, self: Assignment, lanes: Any) -> Any:
        if lanes:
            crash.reached()
        return await close(self, lanes)


def _in_swap(crash: Crash) -> None:
    """The new plan is known, batches of the old one are on the way."""

    @instead_of(Link, "adopt")
    async def adopting(adopt: Any, *given: Any) -> None:
        crash.reached()
        await adopt(*given)


POINTS: dict[str, Callable[[Crash], None]] = {
    "after poll": _after_poll,
    "after score": _after_score,
    "after send": _after_send,
    "after flush": _after_flush,
    "before commit": _before_commit,
    "after commit": _after_commit,
    "in dead letter": _in_dead_letter,
    "in revoke": _in_revoke,
    "in swap": _in_swap,
}
