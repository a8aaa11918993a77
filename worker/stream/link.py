"""One service's connection to Kafka: consumer, producer, lanes, publisher."""

from __future__ import annotations

import asyncio
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from worker.graph.plan import Plan
from worker.stream import clients
from worker.stream.assignment import Assignment, Failed
from worker.stream.committer import Committer
from worker.stream.connect import connect, stop
from worker.stream.lane import Lane
from worker.stream.lineage import Lineage
from worker.stream.meter import Meter
from worker.stream.publish import Publisher
from worker.stream.terms import Known, Terms, WaitingFor, look_up, producer_terms, start_producer


class Link:
    """Open clients of one service; `open_link` makes it, the pump uses it, `close` ends it.

    Attributes:
        group: the consumer group.
        plan: what events are scored by.
        consumer: subscribed to the source topic.
        assignment: the lanes.
        committer: the only one that commits.
        publisher: of the current producer.
        missing: the source topic is gone, as far as known.
    """

    def __init__(
        self,
        terms: Terms,
        plan: Plan,
        consumer: AIOKafkaConsumer,
        assignment: Assignment,
        committer: Committer,
        waiting: WaitingFor,
        known: Known,
        producer: AIOKafkaProducer,
    ) -> None:
        self.group, self.plan = terms.group, plan
        self.consumer, self.assignment, self.committer = consumer, assignment, committer
        self._terms, self._waiting, self._producer = terms, waiting, producer
        self._made_for = producer_terms(terms, plan, known)
        self.missing = False
        self._ends: dict[TopicPartition, int] = {}
        self.publisher = self._publisher(known)

    def _publisher(self, known: Known) -> Publisher:
        lineage = Lineage.of(self.plan, self._terms.service, self.group)
        return Publisher(self.plan, lineage, self._producer, known.partitions, known.limits)

    async def renew_producer(self) -> None:
        """Ends the current producer and starts another under the topics' present limits.

        Raises:
            TransportError: Kafka refuses.
        """
        await stop(self._producer)
        known = await look_up(self._terms, self.plan, None, self._waiting)
        self._producer = await self._start_producer(self.plan, known)
        self.publisher = self._publisher(known)

    async def _start_producer(self, plan: Plan, known: Known) -> AIOKafkaProducer:
        self._made_for = producer_terms(self._terms, plan, known)
        return await start_producer(self._terms, self._made_for, None, self._waiting)

    async def look_up(self, plan: Plan) -> Known:
        """The topics of a plan that is to be adopted; makes them where the terms say so.

        Raises:
            ConfigError: topics that do not exist.
            TransportError: Kafka refuses.
        """
        return await look_up(
            self._terms, plan, None, self._waiting, create=self._terms.create_topics
        )

    def fits(self, plan: Plan, known: Known) -> bool:
        """Whether the producer at hand can be used for a plan."""
        return producer_terms(self._terms, plan, known) == self._made_for

    async def adopt(self, plan: Plan, known: Known) -> None:
        """Scores by another plan; where the producer does not fit, nothing may be in flight."""
        if not self.fits(plan, known):
            old = self._producer
            self._producer = await self._start_producer(plan, known)
            await stop(old)
        self.plan = plan
        self.publisher = self._publisher(known)

    def lag(self, lane: Lane) -> int:
        """How far the lane's frontier is behind the end of what may be read, as last seen."""
        committed_only = self.plan.spec.source.isolation == "read_committed"
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
                    self.missing = False
                else:  # asking for all topics creates none
                    known = await self.consumer.topics()
                    self.missing = self.plan.spec.source.topic not in known
        except (KafkaError, TimeoutError):
            return False
        return True

    async def close(self) -> None:
        """Leaves the group and disconnects; commits nothing."""
        await stop(self.consumer)
        await stop(self._producer)


async def open_link(
    terms: Terms, plan: Plan, meter: Meter, waiting: WaitingFor, failed: Failed
) -> Link:
    """Connects a service: topics exist, producer and consumer are started, the group is asked.

    Raises:
        ConfigError: a topic that does not exist.
        TransportError: Kafka is not reached in time, or refuses.
    """
    settings, source = terms.settings, plan.spec.source
    deadline_s = None
    if terms.wait_s is not None:
        deadline_s = asyncio.get_running_loop().time() + terms.wait_s
    known = await look_up(terms, plan, deadline_s, waiting, create=terms.create_topics)
    made_for = producer_terms(terms, plan, known)
    producer = await start_producer(terms, made_for, deadline_s, waiting)
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
    link = Link(terms, plan, consumer, assignment, committer, waiting, known, producer)
    consumer.subscribe([source.topic], listener=assignment)
    return link
