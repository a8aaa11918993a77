"""The pump: reads, scores and publishes batches; three tasks, none waits for another's business.

*pump* fetches and scores batch k+1 while *acks* awaits the acknowledgements of batch k and moves
the frontiers; *commits* writes the frontiers to the group every 100 ms. A bounded queue between
pump and acks is the back-pressure. At low load a batch is one event; there is no linger.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from operator import attrgetter

import structlog
from aiokafka.errors import KafkaError, ProducerClosed
from mode import Service

from worker.codec.outcome import Outcomes
from worker.graph.plan import Plan
from worker.graph.run import MODEL_TIMEOUT
from worker.models.watchdog import limited
from worker.score import Timing, score
from worker.stream.guarded import Guarded
from worker.stream.intake import Taken, joined, take
from worker.stream.link import Link, open_link
from worker.stream.meter import Meter
from worker.stream.pace import Pace
from worker.stream.refusals import Refusals
from worker.stream.terms import Terms
from worker.stream.ticket import Ticket

log = structlog.get_logger(__name__)

IN_FLIGHT_BATCHES = 4
PROBE_S = 5.0
LOOP_LIMIT_S = 0.1
"""A model that usually is fast, and hangs on one event, must not hold the loop: it is run again in
a thread, with the limit of the settings."""

_value, _timestamp = attrgetter("value"), attrgetter("timestamp")


class Pump(Guarded):
    """Serves one graph: its consumer group's share of the source topic.

    Attributes:
        link: the Kafka clients, once connected.
        oldest_s: on the performance counter, when the batch was sent whose acknowledgement is
            awaited; None where nothing is.
        busy_s: likewise, when the batch in hand was taken.
        waiting: why Kafka is not reached yet.
        answered_s: on the performance counter, when Kafka last answered the regular probe.
    """

    def __init__(
        self, terms: Terms, plan: Plan, meter: Meter, failed: Callable[[Exception], None]
    ) -> None:
        """``failed`` is told once when the service cannot go on."""
        super().__init__(terms.service, failed)
        self.link: Link | None = None
        self.oldest_s: float | None = None
        self._terms, self._plan, self._meter = terms, plan, meter
        self._between = asyncio.Lock()
        self.busy_s: float | None = None
        self.waiting = ""
        self.answered_s: float | None = None
        self._linked = asyncio.Event()
        self._tickets: asyncio.Queue[Ticket] = asyncio.Queue(IN_FLIGHT_BATCHES)
        self._pace = Pace(terms.settings.max_batch_events, terms.settings.max_batch_bytes)
        self._epoch = 0
        self._steady = asyncio.Event()
        self._steady.set()
        self._refusals = Refusals(terms.settings.max_batch_events)

    async def on_stop(self) -> None:
        """Drains: nothing more is taken, what is in flight is finished and committed.

        After a failure nothing is committed; what was in flight is repeated by the next owner.
        """
        if self.link is None:
            return
        try:
            if self.failure is None:
                await self.link.assignment.close(list(self.link.assignment.lanes.values()))
        except Exception as error:  # noqa: BLE001 - a refused last commit must be told, not lost
            self.failure = error
            self._failed(error)
        finally:
            await self.link.close()

    @Service.task
    async def _pump(self) -> None:
        await self.guarded(self._pump_batches())

    @Service.task
    async def _acks(self) -> None:
        await self.guarded(self._settle_batches())

    @Service.task
    async def _commits(self) -> None:
        await self.guarded(self._commit_regularly())

    @Service.task
    async def _probe(self) -> None:
        await self.guarded(self._probe_regularly())

    async def _pump_batches(self) -> None:
        self.link = await open_link(self._terms, self._plan, self._meter, self._wait, self.fail)
        self._linked.set()
        while not self.should_stop:
            await self._steady.wait()
            most = min(self._pace.most, self._refusals.most)
            epoch = self._epoch
            taken = await take(self.link, most, lambda: epoch == self._epoch)  # noqa: B023 - awaited here
            if taken:
                self.busy_s = time.perf_counter()
                async with self._between:
                    if epoch == self._epoch:  # else they are read again: the lanes went back
                        await self._put_through(self.link, taken)
                self.busy_s = None

    @property
    def plan(self) -> Plan:
        """What events are scored by now."""
        return self._plan if self.link is None else self.link.plan

    async def until_serving(self) -> None:
        """Returns once the group has given this member its share.

        Raises:
            Exception: what made the service stop before.
        """
        await self.unless_failed(self._joined())

    async def _joined(self) -> None:
        await self._linked.wait()
        assert self.link is not None
        await self.link.assignment.joined.wait()

    async def swap(self, plan: Plan) -> None:
        """Scores by another plan of the same source, from one batch to the next.

        Raises:
            ConfigError: topics that do not exist; the old plan goes on.
            TransportError: Kafka refuses; the old plan goes on.
        """
        await self._linked.wait()
        assert self.link is not None
        known = await self.link.look_up(plan)
        async with self._between:
            if not self.link.fits(plan, known):
                await self._tickets.join()  # another producer must not overtake this one
            await self.link.adopt(plan, known)
            self._pace.forget()

    def _wait(self, reason: str) -> None:
        self.waiting = reason
        log.warning("waiting_for_kafka", reason=reason)

    async def _put_through(self, link: Link, taken: list[Taken]) -> None:
        """Scores and publishes one batch, and hands it to the acks task."""
        epoch, publisher = self._epoch, link.publisher
        segments, records = joined(taken)
        timing = Timing()
        values = list(map(_value, records))
        outcomes = await self._score(link.plan, values, timing)
        self._refusals.condemn(records, outcomes)
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

    async def _score(self, plan: Plan, values: list[bytes | None], timing: Timing) -> Outcomes:
        """A batch's outcomes; what is or may be long is scored in a thread, with a time limit."""
        clock, limit_s = time.perf_counter, self._terms.settings.model_timeout_ms / 1_000
        outcomes: Outcomes | None = None
        if not self._pace.is_long(len(values)):
            with limited(min(limit_s, LOOP_LIMIT_S)):
                outcomes = score(plan, values, clock, timing)
        if outcomes is None or any(fault.error == MODEL_TIMEOUT for fault in outcomes.faults):
            with limited(limit_s):
                outcomes = await asyncio.to_thread(score, plan, values, clock, timing)
        self._pace.note(values, sum(timing.nodes.values()))
        return outcomes

    async def _settle_batches(self) -> None:
        await self._linked.wait()
        while True:
            ticket = await self._tickets.get()
            self.oldest_s = ticket.sent_s
            try:
                if ticket.epoch == self._epoch:
                    await asyncio.gather(*ticket.futures)
            except KafkaError as error:
                await self._start_over(error, ticket)
            if ticket.epoch == self._epoch:
                self._settle(ticket)
            else:
                self._meter.abandoned(len(ticket.outcomes))
            self.oldest_s = None
            self._tickets.task_done()

    def _settle(self, ticket: Ticket) -> None:
        for part in ticket.taken:
            part.lane.done(part.span)
        self._refusals.settled(ticket.taken)
        self._meter.stage("acknowledge", time.perf_counter() - ticket.sent_s)
        self._meter.settled(ticket.outcomes, ticket.timestamps_ms, time.time() * 1_000)

    async def _start_over(self, error: KafkaError, ticket: Ticket) -> None:
        """After a refused record batch the sequence numbers are wrong for good: a new producer.

        Every lane goes back to its frontier, and the topics' limits are read anew. What is refused
        again is read in smaller batches, until the guilty record is alone and a dead letter.

        Raises:
            KafkaError: a refusal that is not about a record, or of the guilty one's dead letter.
        """
        assert self.link is not None
        self._refusals.note(error, ticket.taken)
        places = [f"{part.lane.partition.partition}@{part.span.end}" for part in ticket.taken]
        told = f"{type(error).__name__}: {error}"
        log.error("produce_refused", error=told, batch_ends=places, hint="reading again")
        self._epoch += 1
        self._steady.clear()
        await self.link.renew_producer()
        for lane in self.link.assignment.lanes.values():
            self.link.consumer.seek(lane.partition, lane.rewind())
        self._steady.set()

    async def _commit_regularly(self) -> None:
        await self._linked.wait()
        assert self.link is not None
        interval_s = self._terms.settings.commit_interval_ms / 1_000
        while not self.should_stop:
            await asyncio.sleep(interval_s)
            await self.link.committer.commit(list(self.link.assignment.lanes.values()))
            self.link.report(self._meter)

    async def _probe_regularly(self) -> None:
        """Asks Kafka for its topics: an idle worker must notice that its broker is gone."""
        await self._linked.wait()
        assert self.link is not None
        while True:
            missing = self.link.missing
            if await self.link.answers(PROBE_S):
                self.answered_s = time.perf_counter()
            if self.link.missing and not missing:
                log.error("source_missing", topic=self.plan.spec.source.topic)
            await asyncio.sleep(PROBE_S)
