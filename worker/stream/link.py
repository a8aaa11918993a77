"""One service's connection to Kafka: consumer, producer, lanes, publisher."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from worker.graph.plan import Plan
from worker.settings import Settings
from worker.stream import clients, topics
from worker.stream.assignment import Assignment, Failed
from worker.stream.committer import Committer
from worker.stream.connect import ask, connect, stop
from worker.stream.lane import Lane
from worker.stream.lineage import Lineage
from worker.stream.meter import Meter
from worker.stream.publish import Publisher
from worker.stream.topics import TopicLimits


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


WaitingFor = Callable[[str], None]
"""Told why Kafka is not reached yet."""


@dataclass(frozen=True, slots=True)
class Known:
    """What Kafka said about the topics of a graph.

    Attributes:
        partitions: topic -> how many, of every topic there is.
        limits: what each topic of the graph accepts.
    """

    partitions: Mapping[str, int]
    limits: Mapping[str, TopicLimits]


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
        consumer: AIOKafkaConsumer,
        assignment: Assignment,
        committer: Committer,
        waiting: WaitingFor,
        known: Known,
        producer: AIOKafkaProducer,
    ) -> None:
        self.group = terms.group
        self.consumer, self.assignment, self.committer = consumer, assignment, committer
        self._terms, self._waiting, self._producer = terms, waiting, producer
        self._ends: dict[TopicPartition, int] = {}
        self.publisher = self._publisher(known)

    def _publisher(self, known: Known) -> Publisher:
        plan = self._terms.plan
        lineage = Lineage.of(plan, self.group)
        return Publisher(plan, lineage, self._producer, known.partitions, known.limits)

    async def renew_producer(self) -> None:
        """Ends the current producer and starts another under the topics' present limits.

        Raises:
            TransportError: Kafka refuses.
        """
        await stop(self._producer)
        known = await _look_up(self._terms, None, self._waiting)
        self._producer = await _start_producer(self._terms, known, None, self._waiting)
        self.publisher = self._publisher(known)

    def lag(self, lane: Lane) -> int:
        """How far the lane's frontier is behind the end of what may be read, as last seen."""
        committed_only = self._terms.plan.spec.source.isolation == "read_committed"
        seen = self.consumer.last_stable_offset if committed_only else self.consumer.highwater
        end = max(seen(lane.partition) or 0, self._ends.get(lane.partition, 0))
        return max(end - lane.frontier.position, 0)

    def total_lag(self) -> int:
        """Events behind the end of the log, over this worker's partitions."""
        return sum(self.lag(lane) for lane in self.assignment.lanes.values())

    def report(self, meter: Meter) -> None:
        """Notes where each partition stands, and tells the meter."""
        now_s, now_ms = time.perf_counter(), time.time() * 1_000
        for lane in self.assignment.lanes.values():
            lag = self.lag(lane)
            lane.note(lag, now_s)
            meter.partition(
                lane.partition.partition, lane.frontier.position, lag, lane.late_s(now_s, now_ms)
            )

    async def answers(self, within_s: float) -> bool:
        """Whether Kafka says where the partitions end; that tells of a fetch that sees nothing."""
        partitions = list(self.assignment.lanes)
        try:
            async with asyncio.timeout(within_s):
                if partitions:
                    self._ends = await self.consumer.end_offsets(partitions)
                else:
                    await self.consumer.topics()  # asking for all topics creates none
        except (KafkaError, TimeoutError):
            return False
        return True

    async def close(self) -> None:
        """Leaves the group and disconnects; commits nothing."""
        await stop(self.consumer)
        await stop(self._producer)


async def open_link(terms: Terms, meter: Meter, waiting: WaitingFor, failed: Failed) -> Link:
    """Connects a service: topics exist, producer and consumer are started, the group is asked.

    Raises:
        ConfigError: a topic that does not exist.
        TransportError: Kafka is not reached in time, or refuses.
    """
    settings, source = terms.settings, terms.plan.spec.source
    deadline_s = None
    if terms.wait_s is not None:
        deadline_s = asyncio.get_running_loop().time() + terms.wait_s
    known = await _look_up(terms, deadline_s, waiting, create=terms.create_topics)
    producer = await _start_producer(terms, known, deadline_s, waiting)
    try:
        consumer = await connect(
            settings,
            lambda: clients.consumer(settings, terms.group, source.isolation),
            deadline_s,
            waiting,
        )
    except BaseException:
        await stop(producer)
        raise
    committer = Committer(consumer)
    assignment = Assignment(
        consumer, source, meter, committer.commit, failed, settings.drain_timeout_ms / 1_000
    )
    link = Link(terms, consumer, assignment, committer, waiting, known, producer)
    consumer.subscribe([source.topic], listener=assignment)
    return link


async def _look_up(
    terms: Terms, deadline_s: float | None, waiting: WaitingFor, create: int | None = None
) -> Known:
    """The topics of the graph; ``create``: makes those that are missing, with so many partitions.

    Raises:
        ConfigError: topics that do not exist.
        TransportError: Kafka is not reached in time, or refuses.
    """

    async def look(admin: AIOKafkaAdminClient) -> Known:
        if create is not None:
            await topics.create(admin, terms.plan, create)
        counts = await topics.partition_counts(admin)
        topics.require(terms.plan, counts)
        return Known(counts, await topics.limits(admin, topics.wanted(terms.plan)))

    return await ask(terms.settings, look, deadline_s, waiting)


async def _start_producer(
    terms: Terms, known: Known, deadline_s: float | None, waiting: WaitingFor
) -> AIOKafkaProducer:
    settings, plan = terms.settings, terms.plan
    outputs = [*plan.topics, plan.spec.dead_letter_topic]
    most = min(known.limits[topic].max_batch_bytes for topic in outputs)
    batch_bytes = min(settings.max_batch_bytes, most)
    return await connect(
        settings,
        lambda: clients.producer(settings, plan.spec.sink.compression, batch_bytes),
        deadline_s,
        waiting,
    )
