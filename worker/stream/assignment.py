"""Which partitions are ours: a lane for each, from the moment its start is known to its revoke."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import time
from collections.abc import Callable, Collection

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from worker.graph.spec import SourceSpec
from worker.stream.delivery import Delivery
from worker.stream.denied import FORBIDDEN, refused
from worker.stream.lane import Lane
from worker.stream.meter import Meter

log = structlog.get_logger(__name__)

_RETRY_S = 0.5

Failed = Callable[[Exception], None]


class Assignment(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """The lanes of this member of the group, kept by the rebalance callbacks.

    On revoke nothing more is taken, what is in flight is awaited within a bound, committed, and
    the lane is gone. On assign a partition is held: it is not read until the delivery is ready for
    it, its start is looked up and sought, and only then its lane appears. That does not keep the
    callback waiting, because aiokafka sends no heartbeats meanwhile.

    Attributes:
        lanes: by partition; only these may take records.
        held: partitions that are ours, but have no lane yet, or not any more; on the performance
            counter, since when.
        joined: set while the group has given this member its (possibly empty) share, and each
            partition of it has had its lane.
    """

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        source: SourceSpec,
        meter: Meter,
        delivery: Delivery,
        failed: Failed,
        drain_timeout_s: float,
    ) -> None:
        """``failed`` is told what goes wrong: aiokafka would log it and go on."""
        self.lanes: dict[TopicPartition, Lane] = {}
        self.held: dict[TopicPartition, float] = {}
        self.joined = asyncio.Event()
        self._consumer, self._source, self._meter = consumer, source, meter
        self._delivery, self._failed = delivery, failed
        self._drain_timeout_s = drain_timeout_s
        self._opening: dict[TopicPartition, asyncio.Task[None]] = {}
        self._shut = False
        self._resumes: bool | None = None
        self._asking = asyncio.Lock()

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Finishes what is in flight for the partitions, commits it and lets them go."""
        self.joined.clear()
        opening = self._let_go()  # else a lane would appear while those that are there drain
        lanes = [self.lanes[partition] for partition in revoked if partition in self.lanes]
        try:
            await self.close(lanes)
        except Exception as error:  # noqa: BLE001 - aiokafka would swallow it
            self._failed(error)
        await _ended(opening)
        for lane in lanes:
            self.lanes.pop(lane.partition, None)
        for partition in revoked:
            self._meter.revoked(partition.partition)
        if revoked:
            log.info("partitions_revoked", partitions=[one.partition for one in revoked])

    async def close(self, lanes: Collection[Lane]) -> int:
        """Takes nothing more for the lanes, waits for them to be idle, commits them.

        Returns:
            How many events Kafka has not taken in time; whoever is next repeats them.
        """
        for lane in lanes:
            lane.open = False
        try:
            async with asyncio.timeout(self._drain_timeout_s):
                await asyncio.gather(*(lane.idle() for lane in lanes))
                await self._delivery.commit(lanes)
            return 0
        except TimeoutError:
            left = sum(lane.frontier.in_flight for lane in lanes)
            log.warning("drain_timeout", uncommitted_events=left)
            return left
        finally:
            await self._delivery.release(lanes)

    async def shut(self) -> None:
        """Opens no lane any more."""
        self._shut = True
        await _ended(self._let_go())

    def _let_go(self) -> list[asyncio.Task[None]]:
        """Nothing is held any more, so that no further lane appears; the tasks that this ends."""
        opening = list(self._opening.values())
        for task in opening:
            task.cancel()
        self._opening.clear()
        self.held.clear()
        return opening

    def forget(self) -> None:
        """Has no lane any more, and shows none."""
        for partition in self.lanes:
            self._meter.revoked(partition.partition)
        self.lanes.clear()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Holds the partitions, and begins to open a lane for each."""
        self._resumes = None
        now_s = time.perf_counter()
        for partition in assigned:
            self._consumer.pause(partition)
            self.held[partition] = now_s
            self.reopen(partition)
        if not assigned:
            self._join()

    def reopen(self, partition: TopicPartition) -> None:
        """A partition that is held, and still ours, gets a lane: one, however often it is asked."""
        if partition in self.held and partition not in self._opening and not self._shut:
            self._opening[partition] = asyncio.create_task(self._open(partition))

    def hold(self, lane: Lane) -> bool:
        """Nothing more is taken for the lane, it is gone; whether its partition is still ours."""
        again, lane.open = lane.open, False
        if self.lanes.get(lane.partition) is not lane or not again:
            return False
        del self.lanes[lane.partition]
        self.held[lane.partition] = time.perf_counter()
        with contextlib.suppress(IllegalStateError):  # it is being revoked
            self._consumer.pause(lane.partition)
        return True

    def give_up(self, partition: TopicPartition) -> None:
        """Another may have the partition: joins the group again to be told whose it is."""
        if partition in self.held:
            self._consumer._coordinator.request_rejoin()

    async def _open(self, partition: TopicPartition) -> None:
        try:
            if self._source.start != "earliest":
                with contextlib.suppress(KafkaError):  # it is asked for again where it is needed
                    await self._group_resumes(partition.topic)
            lane = await self._delivery.open(partition, self)
            self._consumer.seek(partition, lane.frontier.position)
            self._consumer.resume(partition)
        except Exception as error:  # noqa: BLE001 - nobody awaits this task
            self._failed(error)
            return
        self.lanes[partition] = lane
        del self._opening[partition], self.held[partition]
        if self.joined.is_set():
            log.info(
                "partition_reopened",
                partition=partition.partition,
                start_offset=lane.frontier.position,
            )
        elif not self.held:
            self._join()

    def _join(self) -> None:
        self.joined.set()
        starts = {str(n.partition): lane.frontier.position for n, lane in self.lanes.items()}
        log.info("partitions_assigned", start_offsets=starts)

    async def find(self, partition: TopicPartition) -> Lane:
        """A lane that begins where the group has got to.

        Raises:
            TransportError: Kafka refuses.
        """
        while True:
            try:
                committed = await self._consumer.committed(partition)
                start = await self._start(partition, committed)
                return Lane(partition, start, committed)
            except FORBIDDEN as error:
                raise refused(error) from error
            except KafkaError as error:
                log.warning("start_offset_unknown", partition=partition.partition, error=str(error))
                await asyncio.sleep(_RETRY_S)

    async def _start(self, partition: TopicPartition, committed: int | None) -> int:
        # Both at once: either waits behind a fetch in flight, for up to fetch_max_wait_ms.
        firsts, ends = await asyncio.gather(
            self._consumer.beginning_offsets([partition]), self._consumer.end_offsets([partition])
        )
        first, end = firsts[partition], ends[partition]
        if committed is not None:  # beyond the last stable offset is no fault: a fetch will tell
            return self.within(partition, committed, first, max(end, committed))
        start = self._source.start
        if start != "earliest" and await self._group_resumes(partition.topic):
            return int(first)  # it was added since; what is in it was never seen
        if isinstance(start, datetime.datetime):
            at_ms = int(start.timestamp() * 1_000)
            found = (await self._consumer.offsets_for_times({partition: at_ms}))[partition]
            return end if found is None else int(found.offset)
        return int(end if start == "latest" else first)

    async def _group_resumes(self, topic: str) -> bool:
        """Whether the group had offsets in the topic when this assignment began; asked once.

        Asked before anything else is waited for: by then no other member has committed where its
        own partitions begin.
        """
        async with self._asking:
            numbers = self._consumer.partitions_for_topic(topic)
            if self._resumes is None and numbers:
                places = [TopicPartition(topic, number) for number in numbers]
                offsets = await asyncio.gather(*map(self._consumer.committed, places))
                self._resumes = any(offset is not None for offset in offsets)
            return bool(self._resumes)

    def within(self, partition: TopicPartition, offset: int, first: int, end: int) -> int:
        """The offset to go on from; offsets that are gone from the log are counted as lost."""
        if first <= offset <= end:
            return offset
        lost = max(first - offset, 0)
        self._meter.lose(lost)
        log.error(
            "offsets_lost",
            partition=partition.partition,
            wanted=offset,
            first=first,
            end=end,
            lost_events=lost,
            hint="retention removed them or the topic was made anew; reading from the first",
        )
        return first


async def _ended(tasks: Collection[asyncio.Task[None]]) -> None:
    if tasks:
        await asyncio.wait(tasks)
