"""One service's connection to Kafka: consumer, lanes, delivery."""

from __future__ import annotations

import asyncio
import time

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from worker.graph.plan import Plan
from worker.stream import clients
from worker.stream.assignment import Assignment, Failed
from worker.stream.at_least_once import AtLeastOnce
from worker.stream.connect import connect, stop
from worker.stream.delivery import Delivery, Surroundings
from worker.stream.exactly_once import ExactlyOnce
from worker.stream.lane import Lane
from worker.stream.meter import Meter
from worker.stream.terms import Known, Terms, WaitingFor, look_up, producer_terms, start_producer


class Link:
    """Open clients of one service; `open_link` makes it, the pump uses it, `close` ends it.

    Attributes:
        group: the consumer group.
        plan: what events are scored by.
        consumer: subscribed to the source topic.
        assignment: the lanes.
        delivery: of outcomes and offsets.
        missing: the source topic is gone, as far as known.
    """

    def __init__(
        self, around: Surroundings, plan: Plan, assignment: Assignment, delivery: Delivery
    ) -> None:
        self.group, self.plan = around.terms.group, plan
        self.consumer: AIOKafkaConsumer = around.consumer
        self.assignment, self.delivery = assignment, delivery
        self._terms, self._waiting = around.terms, around.waiting
        self.missing = False
        self._ends: dict[TopicPartition, int] = {}

    async def look_up(self, plan: Plan) -> Known:
        """The topics of a plan that is to be adopted; makes them where the terms say so.

        Raises:
            ConfigError: topics that do not exist.
            TransportError: Kafka refuses.
        """
        return await look_up(
            self._terms, plan, None, self._waiting, create=self._terms.create_topics
        )

    async def adopt(self, plan: Plan, known: Known) -> None:
        """Scores by another plan of the same source and guarantee; nothing is being scored.

        Raises:
            TransportError: Kafka refuses.
        """
        await self.delivery.adopt(plan, known)
        self.plan = plan

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
        await self.assignment.shut()
        await stop(self.consumer)
        self.assignment.forget()
        await self.delivery.close()


async def open_link(
    terms: Terms, plan: Plan, meter: Meter, waiting: WaitingFor, failed: Failed
) -> Link:
    """Connects a service: topics exist, clients are started, the group is asked.

    Raises:
        ConfigError: a topic that does not exist.
        TransportError: Kafka is not reached in time, or refuses.
    """
    settings, source = terms.settings, plan.spec.source
    deadline_s = None
    if terms.wait_s is not None:
        deadline_s = asyncio.get_running_loop().time() + terms.wait_s
    known = await look_up(terms, plan, deadline_s, waiting, create=terms.create_topics)
    consumer = await connect(
        settings,
        lambda: clients.consumer(settings, terms.group, source.isolation),
        deadline_s,
        waiting,
    )
    around = Surroundings(terms, consumer, meter, waiting, failed)
    try:
        delivery = await _delivery(around, plan, known, deadline_s)
    except BaseException:
        await stop(consumer)
        raise
    assignment = Assignment(
        consumer, source, meter, delivery, failed, settings.drain_timeout_ms / 1_000
    )
    link = Link(around, plan, assignment, delivery)
    consumer.subscribe([source.topic], listener=assignment)
    return link


async def _delivery(
    around: Surroundings, plan: Plan, known: Known, deadline_s: float | None
) -> Delivery:
    if plan.spec.delivery.guarantee == "exactly_once":
        return ExactlyOnce(around, plan, known)
    made_for = producer_terms(around.terms, plan, known)
    producer = await start_producer(around.terms, made_for, deadline_s, around.waiting)
    return AtLeastOnce(around, plan, known, producer)
