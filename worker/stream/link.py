"""One service's connection to Kafka: consumer, producer, lanes, publisher."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from worker.graph.plan import Plan
from worker.settings import Settings
from worker.stream import clients, topics
from worker.stream.assignment import Assignment, Failed
from worker.stream.committer import Committer
from worker.stream.lane import Lane
from worker.stream.lineage import Lineage
from worker.stream.meter import Meter
from worker.stream.publish import Publisher


@dataclass(frozen=True, slots=True)
class Terms:
    """How a service is to be connected.

    Attributes:
        settings: brokers, security, bounds.
        plan: the graph whose topics are used.
        group: its consumer group.
        wait_s: give up reaching Kafka after so long; None waits for ever.
        create_topics: make topics that do not exist, with this many partitions; None refuses.
    """

    settings: Settings
    plan: Plan
    group: str
    wait_s: float | None
    create_topics: int | None


Waiting = Callable[[str], None]
"""Told why Kafka is not reached yet."""


class Link:
    """Open clients of one service; `open_link` makes it, the pump uses it, `close` ends it.

    Attributes:
        group: the consumer group.
        consumer: subscribed to the source topic.
        assignment: the lanes.
        committer: the only one that commits.
        publisher: of the current producer.
    """

    def __init__(
        self,
        terms: Terms,
        meter: Meter,
        consumer: AIOKafkaConsumer,
        partitions: Mapping[str, int],
        waiting: Waiting,
        failed: Failed,
    ) -> None:
        settings = terms.settings
        self._terms, self._partitions, self._waiting = terms, partitions, waiting
        self.group = terms.group
        self._lineage = Lineage.of(terms.plan, terms.group)
        self._producer: AIOKafkaProducer | None = None
        self.publisher: Publisher
        self.consumer = consumer
        self.committer = Committer(consumer)
        self.assignment = Assignment(
            consumer,
            terms.plan.spec.source,
            meter,
            self.committer.commit,
            failed,
            settings.drain_timeout_ms / 1_000,
        )

    async def renew_producer(self, deadline_s: float | None = None) -> None:
        """Ends the current producer, if any, and starts another under the topics' present limits.

        Raises:
            TransportError: Kafka is not reached in time, or refuses.
        """
        terms, settings = self._terms, self._terms.settings
        if self._producer is not None:
            await clients.stop(self._producer)
        asker = await clients.connect(
            settings, lambda: clients.admin(settings), deadline_s, self._waiting
        )
        try:
            limits = await topics.limits(asker, topics.wanted(terms.plan))
        finally:
            await clients.stop(asker)
        most = min(limit.max_batch_bytes for limit in limits.values())
        batch_bytes = min(settings.max_batch_bytes, most)
        self._producer = await clients.connect(
            settings,
            lambda: clients.producer(settings, terms.plan.spec.sink.compression, batch_bytes),
            deadline_s,
            self._waiting,
        )
        self.publisher = Publisher(
            terms.plan, self._lineage, self._producer, self._partitions, limits
        )

    def lag(self, lane: Lane) -> int:
        """How far the lane's frontier is behind the end of the log, as last seen."""
        end = self.consumer.highwater(lane.partition)
        return 0 if end is None else max(int(end) - lane.frontier.position, 0)

    def total_lag(self) -> int:
        """Events behind the end of the log, over this worker's partitions."""
        return sum(self.lag(lane) for lane in self.assignment.lanes.values())

    def report(self, meter: Meter) -> None:
        """Tells the meter where each partition stands."""
        now_ms = time.time() * 1_000
        for lane in self.assignment.lanes.values():
            lag = self.lag(lane)
            settled_ms = now_ms if lag == 0 or lane.settled_ms is None else lane.settled_ms
            age_s = max(now_ms - settled_ms, 0) / 1_000
            meter.partition(lane.partition.partition, lane.frontier.position, lag, age_s)

    async def answers(self, within_s: float) -> bool:
        """Whether Kafka answers a request; asking for all topics creates none."""
        try:
            async with asyncio.timeout(within_s):
                await self.consumer.topics()
        except (KafkaError, TimeoutError):
            return False
        return True

    async def close(self) -> None:
        """Leaves the group and disconnects; commits nothing."""
        await clients.stop(self.consumer)
        if self._producer is not None:
            await clients.stop(self._producer)


async def open_link(terms: Terms, meter: Meter, waiting: Waiting, failed: Failed) -> Link:
    """Connects a service: topics exist, producer and consumer are started, the group is asked.

    Raises:
        ConfigError: a topic that does not exist.
        TransportError: Kafka is not reached in time, or refuses.
    """
    settings, plan = terms.settings, terms.plan
    deadline_s = None
    if terms.wait_s is not None:
        deadline_s = asyncio.get_running_loop().time() + terms.wait_s
    asker = await clients.connect(settings, lambda: clients.admin(settings), deadline_s, waiting)
    try:
        if terms.create_topics is not None:
            await topics.create(asker, topics.wanted(plan), terms.create_topics)
        counts: Mapping[str, int] = await topics.partition_counts(asker)
    finally:
        await clients.stop(asker)
    topics.missing(plan, counts)
    consumer = await clients.connect(
        settings,
        lambda: clients.consumer(settings, terms.group, plan.spec.source.isolation),
        deadline_s,
        waiting,
    )
    link = Link(terms, meter, consumer, counts, waiting, failed)
    try:
        await link.renew_producer(deadline_s)
    except BaseException:
        await link.close()
        raise
    consumer.subscribe([plan.spec.source.topic], listener=link.assignment)
    return link
