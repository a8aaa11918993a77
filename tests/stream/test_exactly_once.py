"""Exactly once without Kafka; tests/kafka/test_exactly_once.py shows what it promises."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from tests.graph.support import graph, node, planned
from worker.errors import TransportError
from worker.settings import Settings
from worker.stream import exactly_once
from worker.stream.delivery import Surroundings
from worker.stream.exactly_once import ExactlyOnce, Served
from worker.stream.lane import Lane
from worker.stream.meter import Meters
from worker.stream.terms import Known, Terms

PLAN = planned(graph(node("times", "Arithmetic", left="a", op="*", right=2, into="x")))
PARTITION = TopicPartition("in", 0)


def delivery(failed: list[Exception], kind: type[ExactlyOnce] = ExactlyOnce) -> ExactlyOnce:
    """Of one service, without Kafka."""
    terms = Terms("fraud", Settings(), "rtml-fraud", None, None)
    meter = Meters().of("fraud", "in")
    around = Surroundings(terms, None, meter, lambda _: None, failed.append)
    return kind(around, PLAN, Known({}, {}))


class Refused(ExactlyOnce):
    """Gets no producer."""

    async def _start(self, partition: TopicPartition) -> Any:
        raise TransportError(f"no producer for {partition.partition}", retriable=True)


def test_an_outage_may_last_for_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often a lane broke before, the next try comes after the longest pause."""
    monkeypatch.setattr(exactly_once, "AGAIN_MAX_S", 0.0)

    async def run() -> None:
        ours = delivery([], Refused)
        ours._tries[PARTITION] = 5_000
        await ours.open(PARTITION, None)  # type: ignore[arg-type]  # it does not come to that

    with pytest.raises(TransportError, match="no producer for 0"):
        asyncio.run(run())


class Unfit:
    """A writer whose transaction fails, and whose producer cannot be let go of either."""

    def __init__(self) -> None:
        self.lane, self.committed = Lane(PARTITION, 0, 0), False

    async def run(self) -> None:
        """As when the broker refuses."""
        raise KafkaError("no transaction")

    def give_up(self) -> None:
        """There is nothing in work."""

    async def close(self, *, fenced: bool) -> None:
        """What aiokafka asserts of itself may not hold then."""
        raise AssertionError(f"fenced: {fenced}")


class Holding:
    """Whose partitions are still its own."""

    def hold(self, _: Lane) -> bool:
        """It is."""
        return True


def test_a_lane_never_ends_in_silence() -> None:
    """Where not even its end succeeds the service stops, and does not hold its partition."""

    async def run() -> list[str]:
        failed: list[Exception] = []
        writer, holder = Unfit(), Holding()
        ours = delivery(failed)
        task = asyncio.create_task(ours._serve(writer, holder))  # type: ignore[arg-type]
        ours._served[writer.lane] = Served(writer, task, holder)  # type: ignore[arg-type]
        await task
        return list(map(str, failed))

    assert asyncio.run(run()) == ["fenced: False"]
