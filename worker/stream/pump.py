"""The pump: reads and scores batches and hands them to the delivery; no task waits for another's.

While batch k+1 is fetched and scored, the delivery sees to the acknowledgements of batch k, and to
its offsets: how, depends on the guarantee. At low load a batch is one event; there is no linger.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from operator import attrgetter

import structlog
from mode import Service

from worker.codec.outcome import Outcomes
from worker.graph.plan import Plan
from worker.graph.run import MODEL_TIMEOUT
from worker.models.watchdog import limited
from worker.score import Timing, score
from worker.stream import unread
from worker.stream.aside import Aside
from worker.stream.connect import why_silent
from worker.stream.guarded import Guarded
from worker.stream.intake import put_back, rest, take
from worker.stream.link import Link, open_link
from worker.stream.meter import Meter
from worker.stream.pace import Pace
from worker.stream.switch import Switch
from worker.stream.terms import Terms
from worker.stream.ticket import Taken, Ticket, joined

log = structlog.get_logger(__name__)

PROBE_S = 5.0
LOOP_LIMIT_S = 0.1
"""A model that usually is fast, and hangs on one event, must not hold the loop: it is run again in
a thread, with the limit of the settings."""

_value, _timestamp = attrgetter("value"), attrgetter("timestamp")


class Pump(Guarded):
    """Serves one graph: its consumer group's share of the source topic.

    Attributes:
        link: the Kafka clients, once connected.
        busy_s: on the performance counter, when the batch in hand was taken.
        waiting: why Kafka is not reached yet.
        answered_s: on the performance counter, when Kafka last answered; the regular probe asks.
        silence: why it does not, as far as known; empty while it does.
        left: events that were in flight when a stop's drain was given up.
        switch: whether its circuit breaker lets events flow.
    """

    def __init__(
        self,
        terms: Terms,
        plan: Plan,
        meter: Meter,
        failed: Callable[[Exception], None],
        turned: Callable[[], None] = lambda: None,
    ) -> None:
        """``failed`` is told once when the service cannot go on; ``turned``: see `Switch`."""
        super().__init__(terms.service, failed)
        self.link: Link | None = None
        self._terms, self._plan, self._meter = terms, plan, meter
        self._between = asyncio.Lock()
        self.busy_s: float | None = None
        self.waiting = self.silence = ""
        self.answered_s: float | None = None
        self._linked = asyncio.Event()
        self._closed: Link | None = None
        self.left = 0
        self._pace = Pace(terms.settings.max_batch_events, terms.settings.max_batch_bytes)
        self.switch = Switch(terms.settings, meter, turned)
        self._aside = Aside()

    async def on_stop(self) -> None:
        """Drains: nothing more is taken, what is in flight is finished and committed.

        After a failure nothing is committed; what was in flight is repeated by the next owner.
        """
        link = self._closed = self.link
        try:
            if link is not None:
                await link.assignment.shut()
                if self.failure is None:
                    await self.unless_failed(self._drain(link))
        except Exception as error:  # noqa: BLE001 - a refused last commit must be told, not lost
            self.fail(error)
        finally:
            self.over = True
            if link is not None:
                await link.close()
            self._meter.ended()
            self._aside.close()

    async def on_shutdown(self) -> None:
        """Closes a link that opened while its service was being stopped: it would stay a member."""
        if self.link is not None and self.link is not self._closed:
            await self.link.close()

    async def _drain(self, link: Link) -> None:
        self.left = await link.assignment.close(list(link.assignment.lanes.values()))

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
        self.answered_s = time.perf_counter()  # from now on silence is told
        self._linked.set()
        delivery = self.link.delivery
        while not self.should_stop:
            if self.switch.rests:
                await rest(self.link, lambda: self.switch.rests and not self.should_stop)
                continue
            await delivery.steady()
            most = self.switch.most(min(self._pace.most, delivery.most))
            epoch = delivery.epoch
            taken = await take(self.link, most, lambda: epoch == delivery.epoch)  # noqa: B023 - awaited here
            if taken:
                self.busy_s = time.perf_counter()
                async with self._between:
                    if epoch == delivery.epoch:  # else they are read again: the lanes went back
                        await self._put_through(self.link, taken, epoch, most)
                self.busy_s = None

    @property
    def oldest_s(self) -> float | None:
        """On the performance counter, since when Kafka owes an answer; None where it does not."""
        return None if self.link is None else self.link.delivery.oldest_s

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
        await (await self._opened()).assignment.joined.wait()

    async def _opened(self) -> Link:
        await self._linked.wait()
        assert self.link is not None
        return self.link

    async def swap(self, plan: Plan) -> None:
        """Scores by another plan of the same source, from one batch to the next.

        Raises:
            ConfigError: topics that do not exist; the old plan goes on.
            TransportError: Kafka refuses; the old plan goes on.
        """
        link = await self._opened()
        known = await link.look_up(plan)
        async with self._between:
            await link.adopt(plan, known)
            self._pace.forget()
            self.switch.close("update")

    def _wait(self, reason: str) -> None:
        self.waiting = reason
        log.warning("waiting_for_kafka", reason=reason)

    async def _put_through(self, link: Link, taken: list[Taken], epoch: int, most: int) -> None:
        """Scores one batch, and hands it to the delivery."""
        segments, records = joined(taken)
        timing = Timing()
        values = list(map(_value, records))
        outcomes = await self._score(link.plan, values, timing)
        if outcomes.faults:
            unread.tell(records, outcomes)
        if outcomes.unsure:
            self._pace.shrink(len(records))
            log.warning("model_late", events=len(records), hint="reading again in smaller batches")
        if outcomes.unsure or not self.switch.admits(outcomes):
            put_back(link, taken)
            return
        self._meter.taken(len(records), timing)
        stamps_ms = list(map(_timestamp, records))
        ticket = Ticket(epoch, taken, segments, records, stamps_ms, outcomes, len(records) >= most)
        await link.delivery.deliver(ticket)

    async def _score(self, plan: Plan, values: list[bytes | None], timing: Timing) -> Outcomes:
        """A batch's outcomes; what is or may be long is scored in a thread, with a time limit."""
        clock, limit_s = time.perf_counter, self._terms.settings.model_timeout_ms / 1_000
        outcomes: Outcomes | None = None
        if not self._pace.is_long(len(values)):
            with limited(min(limit_s, LOOP_LIMIT_S)):
                outcomes = score(plan, values, clock, timing)
        if outcomes is None or any(fault.error == MODEL_TIMEOUT for fault in outcomes.faults):
            with limited(limit_s):
                outcomes = await self._aside.run(partial(score, plan, values, clock, timing))
        self._pace.note(values, sum(timing.nodes.values()))
        return outcomes

    async def _settle_batches(self) -> None:
        await (await self._opened()).delivery.run()

    async def _commit_regularly(self) -> None:
        link = await self._opened()
        interval_s = self._terms.settings.commit_interval_ms / 1_000
        while not self.should_stop:
            await asyncio.sleep(interval_s)
            await link.delivery.commit(list(link.assignment.lanes.values()))
            link.report(self._meter)

    async def _ask_why(self) -> None:
        """aiokafka tries for ever to connect again, and keeps to itself why it cannot."""
        reason = await why_silent(self._terms.settings)
        if reason and reason != self.silence:
            log.warning("kafka_silent", reason=reason)
        self.silence = reason

    async def _probe_regularly(self) -> None:
        """Asks Kafka for its topics: an idle worker must notice that its broker is gone."""
        link = await self._opened()
        while True:
            missing = link.missing
            if await link.answers(PROBE_S):
                self.answered_s, self.silence = time.perf_counter(), ""
            else:
                await self._ask_why()
            if link.missing and not missing:
                log.error("source_missing", topic=self.plan.spec.source.topic)
            await asyncio.sleep(PROBE_S)
