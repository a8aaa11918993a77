"""What a pump does with events, and how it stops; the tests on Kafka show the rest."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from prometheus_client import generate_latest

from tests.graph.support import graph, node, planned
from tests.kafka.metrics import total
from worker.codec.outcome import Outcomes
from worker.errors import TransportError
from worker.score import Timing
from worker.settings import Settings
from worker.stream.meter import Meters
from worker.stream.pump import Pump
from worker.stream.terms import Terms

PLAN = planned(graph(node("times", "Arithmetic", left="a", op="*", right=2, into="x")))
BUSY = 64
"""More than asyncio has threads for."""


def pump(told: list[Exception], meters: Meters | None = None) -> Pump:
    """That is not connected."""
    terms = Terms("fraud", Settings(), "rtml-fraud", None, None)
    return Pump(terms, PLAN, (meters or Meters()).of("fraud", "tx"), told.append)


class Draining:
    """A link whose events Kafka never takes."""

    def __init__(self) -> None:
        self.assignment, self.lanes = self, {}
        self.draining, self.closed = asyncio.Event(), False

    async def shut(self) -> None:
        """Nothing is being opened."""

    async def close(self, *lanes: Any) -> int:
        """Of the lanes it never ends; of the link itself at once."""
        if lanes:
            self.draining.set()
            await asyncio.Event().wait()
        self.closed = True
        return 0


class Opened:
    """A link that has just been opened, to a Kafka that sends nothing."""

    def __init__(self) -> None:
        self.delivery, self.assignment, self.lanes = self, self, {}
        self.missing, self.closed = False, 0

    async def run(self) -> None:
        """No acknowledgement comes."""
        await asyncio.Event().wait()

    async def answers(self, within_s: float) -> bool:
        """Kafka does not."""
        await asyncio.sleep(within_s)
        return False

    async def close(self) -> None:
        """Leaves the group."""
        self.closed += 1


def test_events_do_not_wait_for_models_that_are_loaded() -> None:
    """However many threads of asyncio load or try models meanwhile, a long batch is scored."""

    async def run() -> Outcomes:
        loop, free, ours = asyncio.get_running_loop(), threading.Event(), pump([])
        busy = [loop.run_in_executor(None, free.wait) for _ in range(BUSY)]
        try:
            async with asyncio.timeout(10.0):
                return await ours._score(PLAN, [b'{"a": 1}'], Timing())
        finally:
            free.set()
            await asyncio.gather(*busy)

    assert asyncio.run(run()).values == [b'{"a": 1,"x":2.0}']


def test_a_drain_ends_where_one_of_its_tasks_does() -> None:
    """It is told once why, and nobody waits any longer for what will not come."""

    async def run() -> tuple[list[Exception], bool]:
        told: list[Exception] = []
        ours, link = pump(told), Draining()
        ours.link = link  # type: ignore[assignment]  # what a stop uses of it
        stopping = asyncio.create_task(ours.stop())
        await link.draining.wait()
        ours.fail(error)
        async with asyncio.timeout(10.0):
            await stopping
        ours.fail(TransportError("the consumer is closed", retriable=False))
        return told, link.closed

    error = TransportError("the dead-letter topic refuses", retriable=False)
    assert asyncio.run(run()) == ([error], True)


def test_a_stopped_service_has_nothing_in_work() -> None:
    """What was in flight when it broke is read again by the next one, which counts from zero."""
    meters = Meters()

    async def run() -> float:
        ours = pump([], meters)
        ours._meter.taken(5, Timing())
        ours.fail(TransportError("no access", retriable=False))
        await ours.stop()
        return total(generate_latest(meters.registry).decode(), "rtml_in_flight_events")

    assert asyncio.run(run()) == 0


def test_a_link_that_opens_while_its_service_is_stopped_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else its consumer would keep the partitions of a service that is gone."""
    link = Opened()

    async def run() -> None:
        answer = asyncio.Event()

        async def opening(*_: object) -> Opened:
            await answer.wait()
            return link

        monkeypatch.setattr("worker.stream.pump.open_link", opening)
        ours = pump([])
        await ours.start()
        await asyncio.sleep(0)
        answer.set()
        await ours.stop()

    asyncio.run(run())
    assert link.closed == 1
