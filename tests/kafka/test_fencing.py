"""The order in which a partition is taken over, where exactly once is promised."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from tests.kafka.service import Service, make_service
from worker.graph.plan import plan
from worker.graph.spec import load
from worker.settings import Settings
from worker.stream import clients
from worker.stream.connect import hear, stop
from worker.stream.delivery import Surroundings
from worker.stream.exactly_once import ExactlyOnce
from worker.stream.lane import Lane
from worker.stream.meter import Meters
from worker.stream.terms import Terms, look_up

COMMITTED, BEGUN = 7, 9


class Holder:
    """Asks how far the group has got, when the former owner tries to finish what it had begun."""

    def __init__(self, former: AIOKafkaProducer, service: Service, settings: Settings) -> None:
        self.refused = ""
        self._former = former
        self._consumer = clients.consumer(settings, service.group, "read_committed")

    async def find(self, partition: TopicPartition) -> Lane:
        """As the assignment does it."""
        try:
            await self._former.commit_transaction()
        except KafkaError as error:
            self.refused = type(error).__name__
        await self._consumer.start()
        try:
            committed = await self._consumer.committed(partition)
        finally:
            await stop(self._consumer)
        return Lane(partition, committed or 0, committed)

    def hold(self, lane: Lane) -> bool:
        """Nothing is taken here."""
        return not lane.open

    def reopen(self, partition: TopicPartition) -> None:
        """Nothing is reopened here."""

    def give_up(self, partition: TopicPartition) -> None:
        """Nothing is given up here."""


async def taken_over(service: Service) -> tuple[str, int]:
    """How the former owner's commit was refused, and where the new lane begins."""
    settings = Settings(brokers=service.bootstrap)
    partition = TopicPartition(service.source, 0)
    former = clients.transactional(settings, f"{service.group}/{service.source}/0")
    await former.start()
    for offset in (COMMITTED, BEGUN):
        await former.begin_transaction()
        await former.send_offsets_to_transaction({partition: offset}, service.group)
        if offset == COMMITTED:
            await former.commit_transaction()
    spec, _ = load(service.graph)
    made = plan(spec, service.graph.parent)
    terms = Terms(service.name, settings, service.group, 30.0, None)
    known = await look_up(terms, made, None, print)
    meter = Meters().of(service.name, service.source)
    failed: list[Exception] = []
    around = Surroundings(terms, None, meter, print, failed.append)
    delivery, holder = ExactlyOnce(around, made, known), Holder(former, service, settings)
    lane = await delivery.open(partition, holder)
    await delivery.close()
    await stop(former)
    hear(former)
    assert failed == []
    return holder.refused, lane.frontier.position


def test_the_former_owner_is_fenced_before_its_offset_is_read(kafka: str, tmp_path: Path) -> None:
    """When the new one asks how far the group has got, the former one can commit no more."""
    service = make_service(kafka, tmp_path, guarantee="exactly_once")
    assert asyncio.run(taken_over(service)) == ("ProducerFenced", COMMITTED)
