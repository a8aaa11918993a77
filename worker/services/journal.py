"""The registry and the status topic, followed from their beginning to their end and on."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from worker.errors import TransportError
from worker.services.alone import MARK, write_alone
from worker.services.records import REGISTRY_TOPIC, STATUS_TOPIC, TOPICS
from worker.services.registry import Registry, Statuses
from worker.settings import Settings
from worker.stream import clients, topics
from worker.stream.connect import ask, connect, pause, stop
from worker.stream.denied import FORBIDDEN, refused
from worker.stream.record import Record
from worker.stream.terms import WaitingFor

log = structlog.get_logger(__name__)

POLL_MS = 500
MARKER_S = 0.02
LOOK_S = 1.0
RETRY_S = 0.25
_PARTITIONS = tuple(TopicPartition(topic, 0) for topic in TOPICS)

T = TypeVar("T")


class Journal:
    """What the two topics say, kept current; ``async with`` opens and closes it.

    Attributes:
        registry: the services, as far as read.
        statuses: how workers get on with them, as far as read.
        failure: why it is followed no longer; None while it is.
    """

    def __init__(
        self, settings: Settings, wait_s: float | None, waiting: WaitingFor = lambda _: None
    ) -> None:
        """``wait_s``: give up reaching Kafka after so long; ``waiting`` is told why it waits."""
        self.registry, self.statuses = Registry(), Statuses()
        self.failure: Exception | None = None
        self._settings, self._wait_s, self._waiting = settings, wait_s, waiting
        self._changed = asyncio.Condition()
        self._landed: dict[bytes, bool] = {}

    async def __aenter__(self) -> Journal:
        """Makes the topics where they are missing, and reads them to their end.

        Raises:
            TransportError: Kafka is not reached in time, or refuses.
        """
        loop = asyncio.get_running_loop()
        deadline_s = None if self._wait_s is None else loop.time() + self._wait_s
        settings, waiting = self._settings, self._waiting
        await ask(
            settings,
            lambda admin: topics.create_named(admin, TOPICS, 1, TOPICS),
            deadline_s,
            waiting,
        )
        self._consumer: AIOKafkaConsumer = await connect(
            settings, lambda: clients.reader(settings), deadline_s, waiting
        )
        self._consumer.assign(_PARTITIONS)
        self._following = asyncio.create_task(self._follow())
        try:
            self._asker: AIOKafkaConsumer = await connect(
                settings, lambda: clients.reader(settings, "read_uncommitted"), deadline_s, waiting
            )
            self._producer: AIOKafkaProducer = await connect(
                settings, lambda: clients.teller(settings), deadline_s, waiting
            )
            await self.catch_up(deadline_s)
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._close()

    async def _close(self) -> None:
        self._following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._following
        for name in ("_consumer", "_asker", "_producer"):
            client = vars(self).get(name)
            if client is not None:
                await stop(client)

    async def _follow(self) -> None:
        try:
            while True:
                try:
                    found = await self._consumer.getmany(timeout_ms=POLL_MS)
                except FORBIDDEN as error:
                    raise refused(error) from error
                except KafkaError as error:
                    if not error.retriable:
                        raise
                    log.warning("registry_unreadable", error=f"{type(error).__name__}: {error}")
                    continue
                await self._apply(found)
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
            self.failure = error
            async with self._changed:
                self._changed.notify_all()

    async def _apply(self, found: Mapping[TopicPartition, list[Record]]) -> None:
        for partition, records in found.items():
            state = self.registry if partition.topic == REGISTRY_TOPIC else self.statuses
            for record in records:
                state.apply((record.key or b"").decode(errors="replace"), record.value)
                for name, mark in record.headers:
                    if name == MARK and mark in self._landed:
                        self._landed[mark] = True
        async with self._changed:
            self._changed.notify_all()

    async def changed(self) -> None:
        """Returns at the next record.

        Raises:
            TransportError: the topics cannot be followed any more.
        """
        self._check()
        async with self._changed:
            await self._changed.wait()
        self._check()

    async def until(self, look: Callable[[], T | None], within_s: float) -> T | None:
        """What ``look`` finds, once it finds something; None where it does not in time.

        Raises:
            TransportError: the topics cannot be followed any more.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while True:
                    found = look()
                    if found is not None:
                        return found
                    # No record tells that a worker is silent.
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_S):
                            await self.changed()
        return look()

    async def catch_up(self, deadline_s: float | None) -> None:
        """Reads to where the topics end now, transactions that are open included: to their ends.

        Another consumer is asked where that is. To the one that reads committed records only,
        the topics end before the first open transaction, of whichever service, and it answers
        when its long poll is over.

        Args:
            deadline_s: on the loop's clock, when to give up; None waits for ever.

        Raises:
            TransportError: not in time, or the topics cannot be followed any more.
        """
        ends = await self._ends(deadline_s)
        try:
            async with asyncio.timeout_at(deadline_s):
                for partition, end in ends.items():
                    while await self._consumer.position(partition) < end:
                        self._check()
                        # The end of a transaction takes an offset, and no record comes with it.
                        with contextlib.suppress(TimeoutError):
                            async with asyncio.timeout(MARKER_S):
                                await self.changed()
        except TimeoutError:
            raise TransportError("the registry is not read in time", retriable=True) from None

    async def _ends(self, deadline_s: float | None) -> Mapping[TopicPartition, int]:
        while True:
            try:
                async with asyncio.timeout_at(deadline_s):
                    ends: Mapping[TopicPartition, int] = await self._asker.end_offsets(_PARTITIONS)
                    return ends
            except (KafkaError, OSError) as error:  # TimeoutError is an OSError
                await pause(self._settings, error, RETRY_S, deadline_s, self._waiting)

    def _check(self) -> None:
        if self.failure is not None:
            raise TransportError(f"the registry cannot be read: {self.failure}", retriable=True)

    async def tell(self, records: Mapping[str, bytes | None]) -> None:
        """Writes to the status topic; None deletes what a key names.

        Raises:
            TransportError: Kafka did not take it.
        """
        try:
            sent = [
                await self._producer.send(STATUS_TOPIC, value, key.encode())
                for key, value in records.items()
            ]
            await asyncio.gather(*sent)
        except KafkaError as error:
            raise TransportError(f"writing a status: {error}", retriable=True) from error

    async def change(
        self, service_id: str, decide: Callable[[], Mapping[str, bytes | None]]
    ) -> None:
        """Changes one service in the registry, alone: of two at once, one follows the other.

        Args:
            service_id: of the service.
            decide: called with the registry as it is then; what it returns is written, all or
                nothing. It may be called again, where somebody else was faster.

        Raises:
            ConfigError: what ``decide`` raises.
            TransportError: Kafka is not reached, or refuses.
        """
        mark = uuid.uuid4().bytes
        self._landed[mark] = False
        try:
            await write_alone(
                self._settings,
                service_id,
                REGISTRY_TOPIC,
                mark=mark,
                catch_up=self.catch_up,
                landed=lambda: self._landed[mark],
                decide=decide,
                waiting=self._waiting,
            )
        finally:
            del self._landed[mark]
