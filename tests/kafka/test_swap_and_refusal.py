"""The pump itself, in this process: what comes between two of its steps."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.kafka.client import Record, Stored, create_topic, produce, read_all
from tests.kafka.configure import configure_topic
from tests.kafka.service import Service, make_service
from tests.kafka.site import variant
from tests.kafka.verdict import event
from worker.cli.loading import load_graph
from worker.codec.outcome import Outcomes
from worker.settings import Settings
from worker.stream import at_least_once, health
from worker.stream.at_least_once import AtLeastOnce
from worker.stream.link import Link
from worker.stream.meter import Meter, Meters
from worker.stream.pump import Pump
from worker.stream.terms import Known, Terms

pytestmark = pytest.mark.long

LIMIT = 20_000
LARGE = 2 * LIMIT
PAUSE_S = 0.02
PATIENCE_S = 60.0


def padded(seq: int, size: int) -> Record:
    """A numbered event of about so many bytes."""
    return Record(event(seq)[:-1] + b', "pad": "%s"}' % (b"x" * size), b"k")


def seqs(records: list[Stored]) -> list[int]:
    """The numbers of scored events."""
    return [json.loads(record.value or b"")["seq"] for record in records]


async def until(condition: Callable[[], object]) -> None:
    """Returns once it holds, the loop going on meanwhile."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(PAUSE_S)


class Gate:
    """Stops whoever comes to it until it is opened."""

    def __init__(self) -> None:
        self.reached, self.opened = asyncio.Event(), asyncio.Event()

    async def passed(self) -> None:
        """Returns when it is open."""
        self.reached.set()
        await self.opened.wait()


@asynccontextmanager
async def pumping(service: Service) -> AsyncIterator[tuple[Pump, Meter]]:
    """A pump that serves; the limit of its sink is lowered once it has been told the one before."""
    plan = load_graph(service.graph).plan
    meter = Meters().of(service.name, service.source)
    terms = Terms(service.name, Settings(brokers=service.bootstrap), service.group, 30.0, None)
    pump = Pump(terms, plan, meter, lambda _: None)
    await pump.start()
    try:
        await pump.until_serving()
        setting = ("max.message.bytes", str(LIMIT))
        await asyncio.to_thread(configure_topic, service.bootstrap, service.sink, *setting)
        yield pump, meter
    finally:
        await pump.stop()


def other_sink(service: Service, limit: int, **sink: str) -> Path:
    """The same graph with another sink, in which a record batch may have so many bytes."""
    topic = f"{service.sink}-new"
    create_topic(service.bootstrap, topic, 1, {"max.message.bytes": str(limit)})
    return variant(service, "new", sink={"topic": topic, **sink})


def test_new_topics_keep_their_limits(
    kafka: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan that is adopted while the producer is renewed is published by its topics' limits."""
    service = make_service(kafka, tmp_path, partitions=1)
    limit = 1_000_000
    new = load_graph(other_sink(service, limit)).plan
    look_up = at_least_once.look_up

    async def run() -> None:
        gate, waits = Gate(), asyncio.Event()

        async def slow(*given: Any) -> Known:
            known = await look_up(*given)
            await gate.passed()
            return known

        monkeypatch.setattr(at_least_once, "look_up", slow)
        async with pumping(service) as (pump, _):
            await asyncio.to_thread(produce, kafka, service.source, [padded(0, LARGE)])
            async with asyncio.timeout(PATIENCE_S):
                await gate.reached.wait()
            swap = asyncio.create_task(pump.swap(new))
            steady = AtLeastOnce.steady

            async def noted(self: AtLeastOnce) -> None:
                if asyncio.current_task() is swap:
                    waits.set()
                await steady(self)

            monkeypatch.setattr(AtLeastOnce, "steady", noted)
            await until(lambda: swap.done() or waits.is_set())
            gate.opened.set()
            await swap
            rest = [padded(1, limit + 10_000), padded(2, 10)]
            await asyncio.to_thread(produce, kafka, service.source, rest)
            await until(lambda: pump.failure or seqs(read_all(kafka, new.topics[0]))[-1:] == [2])
            assert pump.failure is None

    asyncio.run(run())
    assert seqs(read_all(kafka, new.topics[0])) == [0, 2]
    told = [record.header("rtml-dlq-error") for record in service.dead_letters()]
    assert told == [b"RecordTooLarge"]


def test_a_batch_that_waited_for_the_plan_is_read_again(
    kafka: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken before the lanes went back, it is not scored as it stands: order kept, none twice."""
    service = make_service(kafka, tmp_path, partitions=1)
    # Compressed: another producer, so that the plan waits for what is in flight.
    new = load_graph(other_sink(service, 1_000_000, compression="gzip")).plan
    start_over = AtLeastOnce._start_over

    async def run() -> int:
        gate = Gate()

        async def slow(self: AtLeastOnce, *given: Any) -> None:
            await gate.passed()
            await start_over(self, *given)

        monkeypatch.setattr(AtLeastOnce, "_start_over", slow)
        async with pumping(service) as (pump, meter):
            await asyncio.to_thread(produce, kafka, service.source, [padded(0, LARGE)])
            async with asyncio.timeout(PATIENCE_S):
                await gate.reached.wait()
            swap = asyncio.create_task(pump.swap(new))
            await until(pump._between.locked)
            await asyncio.to_thread(produce, kafka, service.source, [padded(1, 10)])
            assert pump.link is not None
            (lane,) = pump.link.assignment.lanes.values()
            await until(lambda: lane.frontier.taken == 2)
            gate.opened.set()
            await swap
            await until(lambda: pump.failure or seqs(read_all(kafka, new.topics[0]))[-1:] == [1])
            assert pump.failure is None
            return meter.received

    received = asyncio.run(run())
    assert (seqs(read_all(kafka, new.topics[0])), service.scored()) == ([0, 1], [])
    assert received == 3  # the first one twice, for it was refused; the second one once


def test_what_was_let_go_is_not_published(
    kafka: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A partition that went while its batch was scored is another's; one of ours is sent."""
    service = make_service(kafka, tmp_path, partitions=2)
    score = Pump._score

    async def run() -> None:
        gate = Gate()

        async def slow(self: Pump, *given: Any) -> Outcomes:
            outcomes = await score(self, *given)
            await gate.passed()
            return outcomes

        async with pumping(service) as (pump, _):
            assert pump.link is not None
            gone, kept = pump.link.assignment.lanes.values()
            monkeypatch.setattr(Pump, "_score", slow)
            sent = [replace(padded(0, 10), partition=gone.partition.partition)]
            await asyncio.to_thread(produce, kafka, service.source, sent)
            async with asyncio.timeout(PATIENCE_S):
                await gate.reached.wait()
            await pump.link.delivery.release([gone])
            gate.opened.set()
            sent = [replace(padded(1, 10), partition=kept.partition.partition)]
            await asyncio.to_thread(produce, kafka, service.source, sent)
            await until(lambda: pump.failure or service.scored())
            gone.rewind()  # as its next owner does, so that the stop has nothing to wait for
            assert pump.failure is None

    asyncio.run(run())
    assert seqs(service.scored()) == [1]


def test_silence_from_the_beginning_is_noticed(
    kafka: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka that never answers the regular probe is silent since the worker was connected."""
    service = make_service(kafka, tmp_path, partitions=1)

    async def silent(*_: object) -> bool:
        return False

    monkeypatch.setattr(Link, "answers", silent)
    monkeypatch.setattr(health, "SILENT_S", 0.1)

    async def run() -> None:
        async with pumping(service) as (pump, _):
            await until(lambda: health.reasons("s", pump))
            assert "Kafka has not answered" in health.reasons("s", pump)[0]

    asyncio.run(run())
