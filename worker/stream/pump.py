"""The pump: reads, scores and publishes batches; three tasks, none waits for another's business.

*pump* fetches and scores batch k+1 while *acks* awaits the acknowledgements of batch k and moves
the frontiers; *commits* writes the frontiers to the group every 100 ms. A bounded queue between
pump and acks is the back-pressure. At low load a batch is one event; there is no linger.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import (
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    ProducerClosed,
)
from mode import Service

from worker.codec.outcome import Outcomes
from worker.score import Timing, score
from worker.stream.clients import refused
from worker.stream.frontier import Span
from worker.stream.lane import Lane
from worker.stream.link import Link, Terms, open_link
from worker.stream.meter import Meter
from worker.stream.publish import Future, Segment
from worker.stream.record import Record

log = structlog.get_logger(__name__)

IN_FLIGHT_BATCHES = 4
POLL_MS = 200
LONG_SCORING_S = 0.005
"""Scoring that takes longer goes to a thread, so that heartbeats and fetches go on."""
PROBE_S = 5.0
MAX_PRODUCE_FAILURES = 3
"""The same records refused so often in a row stop the service."""

_value, _timestamp = attrgetter("value"), attrgetter("timestamp")


@dataclass(slots=True)
class Ticket:
    """One batch on its way: what it took of each lane, and what must be acknowledged."""

    epoch: int
    taken: list[tuple[Lane, Span, list[Record]]]
    outcomes: Outcomes
    timestamps_ms: list[int]
    futures: list[Future]
    sent_s: float


class Pump(Service):
    """Serves one graph: its consumer group's share of the source topic.

    Attributes:
        link: the Kafka clients, once connected.
        failure: what stopped the service; set before ``failed`` is called.
        oldest_s: on the performance counter, when the batch was sent whose acknowledgement is
            awaited; None where nothing is.
        waiting: why Kafka is not reached yet.
        answered_s: on the performance counter, when Kafka last answered the regular probe.
    """

    mundane_level = "debug"  # that services start and stop is no news

    def __init__(self, terms: Terms, meter: Meter, failed: Callable[[Exception], None]) -> None:
        """``failed`` is told once when the service cannot go on."""
        super().__init__()
        self.link: Link | None = None
        self.failure: Exception | None = None
        self.oldest_s: float | None = None
        self._terms, self._meter, self._failed = terms, meter, failed
        self.waiting = ""
        self.answered_s: float | None = None
        self._linked = asyncio.Event()
        self._tickets: asyncio.Queue[Ticket] = asyncio.Queue(IN_FLIGHT_BATCHES)
        self._limit = terms.settings.max_batch_events
        self._scoring_s = 0.0
        self._epoch = 0
        self._failures = 0

    async def on_stop(self) -> None:
        """Drains: nothing more is taken, what is in flight is finished and committed.

        After a failure nothing is committed; what was in flight is repeated by the next owner.
        """
        if self.link is None:
            return
        if self.failure is None:
            await self.link.assignment.close(list(self.link.assignment.lanes.values()))
        await self.link.close()

    @Service.task
    async def _pump(self) -> None:
        await self._guarded(self._pump_batches())

    @Service.task
    async def _acks(self) -> None:
        await self._guarded(self._settle_batches())

    @Service.task
    async def _commits(self) -> None:
        await self._guarded(self._commit_regularly())

    @Service.task
    async def _probe(self) -> None:
        await self._guarded(self._probe_regularly())

    async def _guarded(self, task: Coroutine[Any, Any, None]) -> None:
        try:
            await task
        except KafkaError as error:
            self._fail(refused(error))
        except Exception as error:  # whatever it is: the service stops, uncommitted, and says so
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if self.failure is None and not self.should_stop:
            self.failure = error
            self._failed(error)

    async def _pump_batches(self) -> None:
        self.link = await open_link(self._terms, self._meter, self._wait)
        self._linked.set()
        while not self.should_stop:
            taken = await self._take(self.link)
            if taken:
                await self._put_through(self.link, taken)

    def _wait(self, reason: str) -> None:
        self.waiting = reason
        log.warning("waiting_for_kafka", reason=reason)

    async def _take(self, link: Link) -> list[tuple[Lane, Span, list[Record]]]:
        """The next records, at least one unless none came in time, noted in their lanes."""
        ready = set(link.assignment.lanes.values())
        try:
            found = await link.consumer.getmany(timeout_ms=POLL_MS, max_records=self._limit)
        except OffsetOutOfRangeError as error:
            await self._return_to_log(link, error.args[0])
            return []
        except NoOffsetForPartitionError:
            return []  # asked before the lane sought its start
        taken = []
        for partition, records in found.items():
            lane = link.assignment.lanes.get(partition)
            if lane is None or not lane.open:
                continue
            if lane not in ready:  # fetched before its start was known
                link.consumer.seek(partition, lane.frontier.taken)
                continue
            taken.append((lane, lane.take(records[-1].offset + 1, len(records)), records))
        return taken

    async def _return_to_log(self, link: Link, wanted: Mapping[TopicPartition, int]) -> None:
        for partition, offset in wanted.items():
            lane = link.assignment.lanes.get(partition)
            if lane is None:
                continue
            first = (await link.consumer.beginning_offsets([partition]))[partition]
            end = (await link.consumer.end_offsets([partition]))[partition]
            start = link.assignment.within(partition, offset, first, end)
            await lane.idle()
            lane.restart(start)
            link.consumer.seek(partition, start)

    async def _put_through(
        self, link: Link, taken: list[tuple[Lane, Span, list[Record]]]
    ) -> None:
        """Scores and publishes one batch, and hands it to the acks task."""
        epoch, publisher = self._epoch, link.publisher
        records: list[Record] = []
        segments = []
        for lane, _, found in taken:
            start = len(records)
            records += found
            segments.append(Segment(lane.partition.partition, start, len(records)))
        timing = Timing()
        values = list(map(_value, records))
        outcomes = await self._score(values, timing)
        self._bound(values)
        self._meter.taken(len(records), timing)
        timestamps_ms = list(map(_timestamp, records))
        start_s = time.perf_counter()
        try:
            futures = await publisher.publish(segments, records, timestamps_ms, outcomes)
        except ProducerClosed:
            if epoch == self._epoch:
                raise
            self._meter.abandoned(len(records))
            return
        sent_s = time.perf_counter()
        self._meter.stage("publish", sent_s - start_s)
        await self._tickets.put(Ticket(epoch, taken, outcomes, timestamps_ms, futures, sent_s))

    async def _score(self, values: list[bytes | None], timing: Timing) -> Outcomes:
        plan, clock = self._terms.plan, time.perf_counter
        start_s = clock()
        if self._scoring_s > LONG_SCORING_S:
            outcomes = await asyncio.to_thread(score, plan, values, clock, timing)
        else:
            outcomes = score(plan, values, clock, timing)
        self._scoring_s += 0.2 * (clock() - start_s - self._scoring_s)
        return outcomes

    def _bound(self, values: list[bytes | None]) -> None:
        """Fits the next batch's events to its bytes: ``getmany`` knows no bytes."""
        settings = self._terms.settings
        mean_bytes = max(sum(len(v) for v in values if v is not None) // len(values), 1)
        self._limit = max(1, min(settings.max_batch_events, settings.max_batch_bytes // mean_bytes))

    async def _settle_batches(self) -> None:
        await self._linked.wait()
        while True:
            ticket = await self._tickets.get()
            self.oldest_s = ticket.sent_s
            try:
                if ticket.epoch == self._epoch:
                    await asyncio.gather(*ticket.futures)
            except KafkaError as error:
                await self._start_over(error)
            if ticket.epoch == self._epoch:
                self._settle(ticket)
                self._failures = 0
            else:
                self._meter.abandoned(len(ticket.outcomes))
            self.oldest_s = None

    def _settle(self, ticket: Ticket) -> None:
        for lane, span, records in ticket.taken:
            lane.done(span)
            lane.settled_ms = records[-1].timestamp
        self._meter.stage("acknowledge", time.perf_counter() - ticket.sent_s)
        self._meter.settled(ticket.outcomes, ticket.timestamps_ms, time.time() * 1_000)

    async def _start_over(self, error: KafkaError) -> None:
        """After a refused record batch the sequence numbers are wrong for good: a new producer.

        Every lane goes back to its frontier, and the topics' limits are read anew, so that what
        was refused for its size or timestamp becomes a dead letter this time.
        """
        assert self.link is not None
        self._failures += 1
        if isinstance(error, ProducerClosed) or self._failures > MAX_PRODUCE_FAILURES:
            raise error
        log.error("produce_refused", error=f"{type(error).__name__}: {error}", hint="reading again")
        self._epoch += 1
        await self.link.renew_producer()
        for lane in self.link.assignment.lanes.values():
            self.link.consumer.seek(lane.partition, lane.rewind())

    async def _commit_regularly(self) -> None:
        await self._linked.wait()
        assert self.link is not None
        interval_s = self._terms.settings.commit_interval_ms / 1_000
        while not self.should_stop:
            await asyncio.sleep(interval_s)
            await self.link.committer.commit(list(self.link.assignment.lanes.values()))
            self._report(self.link)

    async def _probe_regularly(self) -> None:
        """Asks Kafka for its topics: an idle worker must notice that its broker is gone."""
        await self._linked.wait()
        assert self.link is not None
        while True:
            with contextlib.suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(PROBE_S):
                    await self.link.consumer.topics()
                self.answered_s = time.perf_counter()
            await asyncio.sleep(PROBE_S)

    def _report(self, link: Link) -> None:
        now_s = time.time()
        for partition, lane in link.assignment.lanes.items():
            end = link.consumer.highwater(partition)
            lag = 0 if end is None else max(end - lane.frontier.position, 0)
            lag_s = 0.0 if lag == 0 or lane.settled_ms is None else now_s - lane.settled_ms / 1_000
            self._meter.partition(partition.partition, lane.frontier.position, lag, max(lag_s, 0.0))
