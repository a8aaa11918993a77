"""Exactly once: each lane has a transactional producer of its own, which fences its former owners.

aiokafka sends neither member nor generation with the offsets of a transaction, so that the group
keeps nobody out. What does is the transactional id, which belongs to the partition: a lane begins
only where its producer has ended what others had begun, and what they committed is known.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, ProducerFenced

from worker.graph.plan import Plan
from worker.stream import clients
from worker.stream.connect import connect, stop
from worker.stream.delivery import Holder, Surroundings
from worker.stream.denied import FORBIDDEN, refused
from worker.stream.lane import Lane
from worker.stream.publish import Publisher, publisher
from worker.stream.refusals import Refusals
from worker.stream.terms import Known, look_up, producer_terms
from worker.stream.ticket import Ticket
from worker.stream.transaction import Writer

log = structlog.get_logger(__name__)

STARTED_AT_ONCE = 8
"""Each start asks Kafka a handful of questions; one by one, many partitions would take long."""
AGAIN_S, AGAIN_MAX_S, DOUBLINGS = 0.1, 5.0, 6


class Served(NamedTuple):
    """A lane in work: who writes for it, in which task, and who holds it."""

    writer: Writer
    task: asyncio.Task[None]
    holder: Holder


class ExactlyOnce:
    """A `Delivery` whose records are seen once by readers of committed records.

    Attributes:
        epoch: never rises: what goes back is one lane, and that is another lane then.
        most: events that the next batch may have.
    """

    def __init__(self, around: Surroundings, plan: Plan, known: Known) -> None:
        self.epoch = 0
        settings = around.terms.settings
        self.most = settings.max_batch_events
        self._around, self._plan, self._known = around, plan, known
        self._stale = False
        self._span_s = min(settings.commit_interval_ms, settings.transaction_timeout_ms / 2) / 1_000
        self._starting = asyncio.Semaphore(STARTED_AT_ONCE)
        self._served: dict[Lane, Served] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._tries: Counter[TopicPartition] = Counter()
        self._refusals: defaultdict[TopicPartition, Refusals] = defaultdict(
            lambda: Refusals(settings.max_batch_events)
        )

    @property
    def oldest_s(self) -> float | None:
        """When the oldest of the open transactions was begun."""
        begun = (one.writer.open_s for one in self._served.values())
        return min((open_s for open_s in begun if open_s is not None), default=None)

    async def run(self) -> None:
        """Has nothing to do: each lane has its own task."""

    async def steady(self) -> None:
        """Returns at once."""

    async def open(self, partition: TopicPartition, holder: Holder) -> Lane:
        """Fences who wrote for the partition before, and only then asks what was committed.

        Raises:
            TransportError: Kafka refuses.
        """
        if tries := self._tries[partition]:
            await asyncio.sleep(min(AGAIN_S * 2 ** min(tries, DOUBLINGS), AGAIN_MAX_S))
        async with self._starting:
            producer = await self._start(partition)
        try:
            lane = await holder.find(partition)
        except BaseException:
            await stop(producer)
            raise
        refusals = self._refusals[partition]
        lane.most = refusals.most
        terms, meter = self._around.terms, self._around.meter
        writer = Writer(
            lane, producer, self._publish_by, refusals, terms.group, meter, self._span_s
        )
        task = asyncio.create_task(self._serve(writer, holder))
        self._served[lane] = Served(writer, task, holder)
        return lane

    async def _start(self, partition: TopicPartition) -> AIOKafkaProducer:
        terms, waiting = self._around.terms, self._around.waiting
        if self._stale:
            self._stale = False
            self._known = await look_up(terms, self._plan, None, waiting)
        made_for = producer_terms(terms, self._plan, self._known)
        name = f"{terms.group}/{partition.topic}/{partition.partition}"
        return await connect(
            terms.settings,
            lambda: clients.transactional(terms.settings, name, *made_for),
            None,
            waiting,
        )

    def _publish_by(self, producer: AIOKafkaProducer) -> Publisher:
        return publisher(self._around.terms, self._plan, self._known, producer)

    async def deliver(self, ticket: Ticket) -> None:
        """Hands each lane what is its own; what is of a lane that ended is read again."""
        for part in ticket.parts():
            found = self._served.get(part.taken[0].lane)
            if found is None:
                self._around.meter.abandoned(len(part.outcomes))
            else:
                await found.writer.put(part)

    async def commit(self, lanes: Iterable[Lane]) -> None:
        """Lets lanes at rest commit where they have moved on over what holds no event."""
        for lane in lanes:
            found = self._served.get(lane)
            if found and lane.open and lane.at_rest and lane.to_commit is not None:
                found.writer.nudge()

    async def _serve(self, writer: Writer, holder: Holder) -> None:
        """Writes a lane's transactions; never ends in silence."""
        try:
            await writer.run()
        except Exception as error:  # noqa: BLE001 - whatever it is, the lane ends and says so
            task = self._served.pop(writer.lane).task
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
            try:
                await self._broke(writer, holder, error)
            except Exception as worse:  # noqa: BLE001 - likewise: else its partition is held for ever
                self._around.failed(worse)

    async def _broke(self, writer: Writer, holder: Holder, error: Exception) -> None:
        """Ends a lane that broke; another takes its place where its records are ours to write."""
        lane, partition = writer.lane, writer.lane.partition
        fenced = isinstance(error, ProducerFenced)
        log.error(
            "producer_fenced" if fenced else "transaction_failed",
            partition=partition.partition,
            uncommitted_from=lane.frontier.position,
            error=f"{type(error).__name__}: {error}",
            hint="asking the group whose it is" if fenced else "reading again",
        )
        again = holder.hold(lane)
        writer.give_up()
        await writer.close(fenced=fenced)
        if isinstance(error, FORBIDDEN):
            self._around.failed(refused(error))
        elif not isinstance(error, KafkaError):
            self._around.failed(error)
        elif fenced:
            holder.give_up(partition)
        elif again:
            self._stale = True
            hasty = self._refusals[partition].suspects or writer.committed
            self._tries[partition] = 0 if hasty else self._tries[partition] + 1
            holder.reopen(partition)

    async def release(self, lanes: Collection[Lane]) -> None:
        """Aborts what is open and ends the producers of the lanes, and of those that broke."""
        await asyncio.gather(*map(self._end, lanes))
        if self._ending:
            await asyncio.wait(self._ending)

    async def _end(self, lane: Lane) -> None:
        found = self._served.pop(lane, None)
        if found is not None:
            found.task.cancel()
            await asyncio.wait([found.task])
            found.writer.give_up()
            await found.writer.close()

    async def adopt(self, plan: Plan, known: Known) -> None:
        """Finishes what is in work; where the producers do not fit, each lane gets another."""
        terms = self._around.terms
        # Not until the lanes are idle: what the pump has taken waits for this to be over.
        await asyncio.gather(*(one.writer.settled() for one in self._served.values()))
        before = producer_terms(terms, self._plan, self._known)
        self._plan, self._known = plan, known
        if producer_terms(terms, plan, known) == before:
            for one in self._served.values():
                one.writer.publish_by(self._publish_by)
        else:
            await asyncio.gather(*map(self._renew, list(self._served.values())))

    async def _renew(self, old: Served) -> None:
        again = old.holder.hold(old.writer.lane)
        await self._end(old.writer.lane)
        if again:
            old.holder.reopen(old.writer.lane.partition)

    async def close(self) -> None:
        """Aborts what is open and ends all producers."""
        await self.release(list(self._served))
