"""The transactions of one lane: its outcomes, its dead letters and its offset, all or nothing."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidProducerIdMapping,
    InvalidTxnState,
    KafkaError,
    UnknownProducerId,
)
from aiokafka.producer.transaction_manager import TransactionState

from worker.stream.connect import hear, stop
from worker.stream.lane import Lane
from worker.stream.meter import Meter
from worker.stream.publish import Publisher
from worker.stream.refusals import Refusals
from worker.stream.ticket import Ticket

QUEUED_BATCHES = 4
ABORT_TIMEOUT_S = 2.0
_NOT_OF_A_RECORD = (InvalidProducerIdMapping, InvalidTxnState, UnknownProducerId)
_ABORTABLE = (TransactionState.IN_TRANSACTION, TransactionState.ABORTABLE_ERROR)

PublishBy = Callable[[AIOKafkaProducer], Publisher]


class Writer:
    """Writes what is put into it, in order, a transaction at a time.

    A transaction takes what waits, is closed at once when nothing does, and after ``span_s`` in
    any case. What comes while it is being closed is in the next one.

    Attributes:
        lane: whose outcomes they are.
        open_s: on the performance counter, when the open transaction was begun; None where none is.
        committed: whether any transaction was committed.
        ended: it takes nothing any more.
    """

    def __init__(
        self,
        lane: Lane,
        producer: AIOKafkaProducer,
        publish_by: PublishBy,
        refusals: Refusals,
        group: str,
        meter: Meter,
        span_s: float,
    ) -> None:
        """``producer`` is started, and its transactional id is the partition's."""
        self.lane = lane
        self.open_s: float | None = None
        self.committed = self.ended = False
        self._producer, self._publisher = producer, publish_by(producer)
        self._refusals, self._group, self._meter = refusals, group, meter
        self._span_s = span_s
        self._queue: asyncio.Queue[Ticket | None] = asyncio.Queue(QUEUED_BATCHES)
        self._work: list[Ticket] = []

    async def put(self, ticket: Ticket) -> None:
        """Takes over the outcomes of records of the lane; waits where too many batches wait."""
        await self._queue.put(ticket)
        if self.ended:
            self.give_up()

    def publish_by(self, publish_by: PublishBy) -> None:
        """Publishes in another way from the next ticket on."""
        self._publisher = publish_by(self._producer)

    def nudge(self) -> None:
        """Asks for what is there to be committed soon."""
        if not self._queue.full():
            self._queue.put_nowait(None)

    async def settled(self) -> None:
        """Returns when everything that was put is committed, or given up."""
        self.nudge()
        await self._queue.join()

    async def run(self) -> None:
        """Writes transactions until cancelled.

        Raises:
            KafkaError: a transaction failed; nothing can be written any more.
            TransportError: a record that can be neither published nor buried.
        """
        try:
            while True:
                first = await self._get()
                if first is not None or self.lane.to_commit is not None:
                    await self._transact(first)
        except Exception as error:
            cause = self._cause(error)
            if cause is error:
                raise
            raise cause from error

    async def _transact(self, ticket: Ticket | None) -> None:
        end = self.lane.frontier.position
        due_s = asyncio.get_running_loop().time() + self._span_s
        self.open_s = time.perf_counter()
        await self._producer.begin_transaction()
        while ticket is not None:
            await self._send(ticket)
            end = ticket.taken[0].span.end
            ticket = await self._next(ticket, due_s)
        await self._await_answers(end)
        await self._producer.commit_transaction()
        self._settle(end)

    async def _get(self) -> Ticket | None:
        ticket = await self._queue.get()
        if ticket is None:
            self._queue.task_done()
        else:
            self._work.append(ticket)
        return ticket

    async def _send(self, ticket: Ticket) -> None:
        start_s = time.perf_counter()
        self._refusals.condemn(ticket.records, ticket.outcomes)
        ticket.futures = await self._publisher.publish(
            ticket.segments, ticket.records, ticket.timestamps_ms, ticket.outcomes
        )
        ticket.sent_s = time.perf_counter()
        self._meter.stage("publish", ticket.sent_s - start_s)

    async def _next(self, last: Ticket, due_s: float) -> Ticket | None:
        """What else goes into the open transaction; None closes it."""
        if asyncio.get_running_loop().time() >= due_s or self._refusals.suspects:
            return None
        if self._queue.empty() and not (last.more and self.lane.open):
            return None
        try:
            async with asyncio.timeout_at(due_s):
                return await self._get()
        except TimeoutError:
            return None

    async def _await_answers(self, end: int) -> None:
        """Every outcome and the offset must be acknowledged: a commit would not tell."""
        offset = asyncio.ensure_future(
            self._producer.send_offsets_to_transaction({self.lane.partition: end}, self._group)
        )
        try:
            for ticket in self._work:
                try:
                    await asyncio.gather(*ticket.futures)
                except KafkaError as error:
                    # aiokafka's sender ends with an error that tells nothing.
                    if type(error) is not KafkaError and not isinstance(error, _NOT_OF_A_RECORD):
                        self._refusals.note(error, ticket.taken)
                    raise
            await offset
        finally:
            _hush(offset)

    def _settle(self, end: int) -> None:
        self._meter.transaction("committed")
        self.lane.committed, self.open_s, self.committed = end, None, True
        now_s, now_ms = time.perf_counter(), time.time() * 1_000
        for ticket in self._work:
            self._refusals.settled(ticket.taken)
            self._meter.stage("acknowledge", now_s - ticket.sent_s)
            self._meter.settled(ticket.outcomes, ticket.timestamps_ms, now_ms)
            self.lane.done(ticket.taken[0].span)
            self._queue.task_done()
        self._work.clear()
        self.lane.most = self._refusals.most

    def _cause(self, error: Exception) -> Exception:
        """What ended the transaction: what is sent afterwards is refused for another reason."""
        waiter = self._producer._txn_manager.wait_for_transaction_end()
        found: BaseException = error
        if waiter is not None and waiter.done() and not waiter.cancelled():
            found = waiter.exception() or error
        if type(found) is KafkaError:  # "unexpected", where aiokafka's sender has ended
            found = found.__cause__ or found
        return found if isinstance(found, Exception) else error

    def give_up(self) -> None:
        """What is not committed never will be; the lane is idle, and the next one reads it."""
        self.ended = True
        left = list(self._work)
        while not self._queue.empty():
            ticket = self._queue.get_nowait()
            if ticket is None:
                self._queue.task_done()
            else:
                left.append(ticket)
        for ticket in left:
            self._queue.task_done()
            self._meter.abandoned(len(ticket.outcomes))
            for future in ticket.futures:
                _hush(future)
        self._work.clear()
        self.lane.rewind()

    async def close(self, *, fenced: bool = False) -> None:
        """Aborts what is open, within a bound, and ends the producer; nothing comes later.

        What cannot be aborted is aborted by who comes next, or when its time is over.
        """
        if self.open_s is not None:
            self._meter.transaction("fenced" if fenced else "aborted")
            self.open_s = None
        if self._producer._txn_manager.state in _ABORTABLE:
            with contextlib.suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(ABORT_TIMEOUT_S):
                    await self._producer.abort_transaction()
        await stop(self._producer)
        hear(self._producer)


def _hush(future: asyncio.Future[object]) -> None:
    """Nobody waits for it any more: asyncio prints errors that are unheard."""
    if future.done() and not future.cancelled():
        future.exception()
    future.cancel()
