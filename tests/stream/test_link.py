"""What is left of a service's connection once it is closed."""

from __future__ import annotations

import asyncio
from typing import Any

from prometheus_client import generate_latest

from tests.graph.support import graph, node, planned
from tests.stream.test_assignment import FIRST, Consumer, Delivery
from worker.settings import Settings
from worker.stream.assignment import Assignment
from worker.stream.delivery import Surroundings
from worker.stream.lane import Lane
from worker.stream.link import Link
from worker.stream.meter import Meters
from worker.stream.terms import Terms

PLAN = planned(graph(node("times", "Arithmetic", left="a", op="*", right=2, into="x")))


class Stopped(Consumer):
    """With ten records behind each position."""

    async def stop(self) -> None:
        """At once."""

    def last_stable_offset(self, _: object) -> int:
        """After ten records."""
        return 10


class Closed(Delivery):
    """Disconnects at once."""

    async def close(self) -> None:
        """Nothing is held."""


def test_a_closed_link_shows_no_partitions() -> None:
    """A service that is paused, or that broke: where others got to since is not known here."""
    meters = Meters()

    def shown() -> bool:
        return 'partition="0"' in generate_latest(meters.registry).decode()

    async def run() -> tuple[bool, bool]:
        meter = meters.of("fraud", "in")
        consumer: Any = Stopped()
        delivery: Any = Closed()
        terms = Terms("fraud", Settings(), "rtml-fraud", None, None)
        around = Surroundings(terms, consumer, meter, lambda _: None, lambda _: None)
        ours = Assignment(consumer, PLAN.spec.source, meter, delivery, lambda _: None, 5.0)
        link = Link(around, PLAN, ours, delivery)
        ours.lanes[FIRST] = Lane(FIRST, 0, 0)
        link.report(meter)
        before = shown()
        await link.close()
        link.report(meter)
        return before, shown()

    assert asyncio.run(run()) == (True, False)
