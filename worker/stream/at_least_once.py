"""At least once: one producer for all lanes; offsets are committed after the acknowledgements.

The pump scores batch k+1 while `AtLeastOnce.run` awaits the acknowledgements of batch k and moves
the frontiers, which are committed every 100 ms. A bounded queue is the back-pressure.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterable

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, ProducerClosed

from worker.graph.plan import Plan
from worker.stream.committer import Committer
from worker.stream.connect import stop
from worker.stream.delivery import Holder, Surroundings
from worker.stream.lane import Lane
from worker.stream.publish import Publisher, publisher
from worker.stream.refusals import Refusals
from worker.stream.terms import Known, look_up, producer_terms, start_producer
from worker.stream.ticket import Ticket

log = structlog.get_logger(__name__)

IN_FLIGHT_BATCHES = 4


class AtLeastOnce:
    """A `Delivery` whose crash repeats what was not committed.

    Attributes:
        epoch: rises when the producer is replaced.
        oldest_s: when the batch was sent whose acknowledgement is awaited.
    """

    def __init__(
        self, around: Surroundings, plan: Plan, known: Known, producer: AIOKafkaProducer
    ) -> None:
        self.epoch = 0
        self.oldest_s: float | None = None
        self._around, self._plan, self._producer = around, plan, producer
        self._made_for = producer_terms(around.terms, plan, known)
        self._publisher = self._publish_by(known)
        self._committer = Committer(around.consumer)
        self._refusals = Refusals(around.terms.settings.max_batch_events)
        self._lanes: set[Lane] = set()
        self._tickets: asyncio.Queue[Ticket] = asyncio.Queue(IN_FLIGHT_BATCHES)
        self._steady = asyncio.Event()
        self._steady.set()

    def _publish_by(self, known: Known) -> Publisher:
        return publisher(self._around.terms, self._plan, known, self._producer)

    @property
    def most(self) -> int:
        """Events that the next batch may have."""
        return self._refusals.most

    async def steady(self) -> None:
        """Returns when no producer is being replaced."""
        await self._steady.wait()

    async def open(self, partition: TopicPartition, holder: Holder) -> Lane:
        """A lane as the holder finds it."""
        lane = await holder.find(partition)
        self._lanes.add(lane)
        return lane

    async def release(self, lanes: Collection[Lane]) -> None:
        """Forgets lanes."""
        self._lanes.difference_update(lanes)

    async def commit(self, lanes: Iterable[Lane]) -> None:
        """Commits the frontiers that moved.

        Raises:
            TransportError: Kafka refused for good.
        """
        await self._committer.commit(lanes)

    async def deliver(self, ticket: Ticket) -> None:
        """Publishes a batch, unless its lanes went back meanwhile.

        Raises:
            TransportError: a dead letter that the dead-letter topic cannot take.
        """
        outcomes, meter = ticket.outcomes, self._around.meter
        if not all(part.lane in self._lanes for part in ticket.taken):
            await self._deliver_ours(ticket)
            return
        self._refusals.condemn(ticket.records, outcomes)
        if ticket.epoch != self.epoch:
            meter.abandoned(len(outcomes))
            return
        start_s = time.perf_counter()
        try:
            ticket.futures = await self._publisher.publish(
                ticket.segments, ticket.records, ticket.timestamps_ms, outcomes
            )
        except ProducerClosed:
            if ticket.epoch == self.epoch:
                raise
            meter.abandoned(len(outcomes))
            return
        ticket.sent_s = time.perf_counter()
        meter.stage("publish", ticket.sent_s - start_s)
        await self._tickets.put(ticket)

    async def _deliver_ours(self, ticket: Ticket) -> None:
        """What was let go while it was being scored is another's, who has read it again."""
        for one in ticket.parts():
            if one.taken[0].lane in self._lanes:
                await self.deliver(one)
            else:
                self._around.meter.abandoned(len(one.outcomes))

    async def run(self) -> None:
        """Awaits the acknowledgements, batch by batch.

        Raises:
            KafkaError: a refusal that is not about a record.
            TransportError: Kafka refuses.
        """
        while True:
            ticket = await self._tickets.get()
            self.oldest_s = ticket.sent_s
            try:
                if ticket.epoch == self.epoch:
                    await asyncio.gather(*ticket.futures)
            except KafkaError as error:
                await self._start_over(error, ticket)
            if ticket.epoch == self.epoch:
                self._settle(ticket)
            else:
                self._around.meter.abandoned(len(ticket.outcomes))
            self.oldest_s = None
            self._tickets.task_done()

    def _settle(self, ticket: Ticket) -> None:
        for part in ticket.taken:
            part.lane.done(part.span)
        self._refusals.settled(ticket.taken)
        meter = self._around.meter
        meter.stage("acknowledge", time.perf_counter() - ticket.sent_s)
        meter.settled(ticket.outcomes, ticket.timestamps_ms, time.time() * 1_000)

    async def _start_over(self, error: KafkaError, ticket: Ticket) -> None:
        """After a refused record batch the sequence numbers are wrong for good: a new producer.

        Every lane goes back to its frontier, and the topics' limits are read anew. What is refused
        again is read in smaller batches, until the guilty record is alone and a dead letter.

        Raises:
            KafkaError: a refusal that is not about a record, or of the guilty one's dead letter.
        """
        self._refusals.note(error, ticket.taken)
        places = [f"{part.lane.partition.partition}@{part.span.end}" for part in ticket.taken]
        told = f"{type(error).__name__}: {error}"
        log.error("produce_refused", error=told, batch_ends=places, hint="reading again")
        self.epoch += 1
        self._steady.clear()
        await stop(self._producer)
        known = await look_up(self._around.terms, self._plan, None, self._around.waiting)
        await self._start_producer(known)
        self._publisher = self._publish_by(known)
        for lane in self._lanes:
            self._around.consumer.seek(lane.partition, lane.rewind())
        self._steady.set()

    async def adopt(self, plan: Plan, known: Known) -> None:
        """Publishes by another plan; where the producer does not fit, nothing is in flight then.

        Raises:
            TransportError: Kafka refuses; the plan at hand goes on.
        """
        await self.steady()  # a producer that is being replaced is by the plan at hand
        if producer_terms(self._around.terms, plan, known) != self._made_for:
            await self._tickets.join()  # another producer must not overtake this one
            old, before = self._producer, self._plan
            self._plan = plan
            try:
                await self._start_producer(known)
            except BaseException:
                self._plan = before
                raise
            await stop(old)
        self._plan = plan
        self._publisher = self._publish_by(known)

    async def _start_producer(self, known: Known) -> None:
        made_for = producer_terms(self._around.terms, self._plan, known)
        self._producer = await start_producer(
            self._around.terms, made_for, None, self._around.waiting
        )
        self._made_for = made_for

    async def close(self) -> None:
        """Disconnects the producer."""
        await stop(self._producer)
