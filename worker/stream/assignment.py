"""Which partitions are ours: a lane for each, from the moment its start is known to its revoke."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Awaitable, Callable, Collection, Iterable

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from worker.graph.spec import SourceSpec
from worker.stream.connect import FORBIDDEN, refused
from worker.stream.lane import Lane
from worker.stream.meter import Meter

log = structlog.get_logger(__name__)

_RETRY_S = 0.5

Commit = Callable[[Iterable[Lane]], Awaitable[None]]
Failed = Callable[[Exception], None]


class Assignment(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """The lanes of this member of the group, kept by the rebalance callbacks.

    On revoke nothing more is taken, what is in flight is awaited within a bound, committed, and
    the lane is gone. On assign the start is looked up and sought before the lane appears, so no
    record from an earlier position is ever taken.

    Attributes:
        lanes: by partition; only these may take records.
        joined: set while the group has given this member its (possibly empty) share.
    """

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        source: SourceSpec,
        meter: Meter,
        commit: Commit,
        failed: Failed,
        drain_timeout_s: float,
    ) -> None:
        """``failed`` is told what a callback raises: aiokafka would log it and go on."""
        self.lanes: dict[TopicPartition, Lane] = {}
        self.joined = asyncio.Event()
        self._consumer, self._source, self._meter = consumer, source, meter
        self._commit, self._failed = commit, failed
        self._drain_timeout_s = drain_timeout_s
        self._resumes: bool | None = None
        self._asking = asyncio.Lock()

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Finishes what is in flight for the partitions, commits it and lets them go."""
        self.joined.clear()
        lanes = [self.lanes[partition] for partition in revoked if partition in self.lanes]
        try:
            await self.close(lanes)
        except Exception as error:  # noqa: BLE001 - aiokafka would swallow it
            self._failed(error)
        for lane in lanes:
            self.lanes.pop(lane.partition, None)
            self._meter.revoked(lane.partition.partition)
        if lanes:
            log.info("partitions_revoked", partitions=[lane.partition.partition for lane in lanes])

    async def close(self, lanes: Collection[Lane]) -> None:
        """Takes nothing more for the lanes, waits for them to be idle, commits them."""
        for lane in lanes:
            lane.open = False
        if not lanes:
            return
        try:
            async with asyncio.timeout(self._drain_timeout_s):
                await asyncio.gather(*(lane.idle() for lane in lanes))
                await self._commit(lanes)
        except TimeoutError:
            left = sum(lane.frontier.in_flight for lane in lanes)
            log.warning("drain_timeout", uncommitted_events=left)

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Looks up where to start and opens a lane for each partition."""
        self._resumes = None
        try:
            ready = await asyncio.gather(*(self._lane(partition) for partition in assigned))
        except Exception as error:  # noqa: BLE001 - aiokafka would swallow it
            self._failed(error)
            return
        for lane in ready:
            self._consumer.seek(lane.partition, lane.frontier.position)
            self.lanes[lane.partition] = lane
        self.joined.set()
        starts = {str(lane.partition.partition): lane.frontier.position for lane in ready}
        log.info("partitions_assigned", start_offsets=starts)

    async def _lane(self, partition: TopicPartition) -> Lane:
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
        """Whether the group had offsets in the topic when this assignment began; asked once."""
        async with self._asking:
            if self._resumes is None:
                numbers = self._consumer.partitions_for_topic(topic) or set()
                places = [TopicPartition(topic, number) for number in numbers]
                offsets = await asyncio.gather(*map(self._consumer.committed, places))
                self._resumes = any(offset is not None for offset in offsets)
            return self._resumes

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
