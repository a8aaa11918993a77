"""Which partitions have a lane, while they come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from typing import Any

from aiokafka import TopicPartition

from worker.graph.spec import SourceSpec
from worker.stream.assignment import Assignment
from worker.stream.lane import Lane
from worker.stream.meter import Meters

FIRST, SECOND = TopicPartition("tx", 0), TopicPartition("tx", 1)


class Consumer:
    """Where positions are set; its partitions are whichever the test says."""

    def pause(self, *_: TopicPartition) -> None:
        """Nothing is read here anyway."""

    def resume(self, *_: TopicPartition) -> None:
        """Likewise."""

    def seek(self, *_: object) -> None:
        """Likewise."""


class Delivery:
    """Gets ready for the second partition when the test lets it."""

    def __init__(self) -> None:
        self.opened: list[TopicPartition] = []
        self.ready = asyncio.Event()

    async def open(self, partition: TopicPartition, _: object) -> Lane:
        """A lane at the beginning."""
        self.opened.append(partition)
        if partition == SECOND:
            await self.ready.wait()
        return Lane(partition, 0, 0)

    async def commit(self, lanes: Iterable[Lane]) -> None:
        """Nothing is kept."""

    async def release(self, lanes: Collection[Lane]) -> None:
        """Likewise."""


def assignment(delivery: Any, failed: list[Exception]) -> Assignment:
    """Of a consumer that has joined its group."""
    source = SourceSpec.model_validate({"topic": "tx", "schema": {}})
    meter = Meters().of("fraud", "tx")
    return Assignment(Consumer(), source, meter, delivery, failed.append, 5.0)


async def until_opened(ours: Assignment, partition: TopicPartition) -> Lane:
    """The lane of a partition, once it is there."""
    async with asyncio.timeout(5.0):
        while partition not in ours.lanes:  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0)
    return ours.lanes[partition]


def test_no_lane_appears_while_others_drain() -> None:
    """A revoke takes all partitions, also one that gets ready just then: none is left behind."""

    async def run() -> tuple[set[TopicPartition], list[Exception]]:
        failed: list[Exception] = []
        delivery = Delivery()
        ours = assignment(delivery, failed)
        await ours.on_partitions_assigned([FIRST, SECOND])
        lane = await until_opened(ours, FIRST)
        span = lane.take(1, 1, 0)
        revoking = asyncio.create_task(ours.on_partitions_revoked({FIRST, SECOND}))
        await asyncio.sleep(0)
        delivery.ready.set()
        for _ in range(5):
            await asyncio.sleep(0)
        lane.done(span)
        await revoking
        return set(ours.lanes) | set(ours.held), failed

    assert asyncio.run(run()) == (set(), [])


def test_a_partition_is_opened_once_at_a_time() -> None:
    """Two producers of one transactional id would fence each other."""

    async def run() -> list[TopicPartition]:
        delivery = Delivery()
        ours = assignment(delivery, [])
        await ours.on_partitions_assigned([SECOND])
        ours.reopen(SECOND)
        delivery.ready.set()
        await until_opened(ours, SECOND)
        await ours.shut()
        return delivery.opened

    assert asyncio.run(run()) == [SECOND]


class Group(Consumer):
    """Two partitions with ten records each, of a group that has not committed anything."""

    def __init__(self) -> None:
        self.offsets: dict[TopicPartition, int] = {}

    async def committed(self, partition: TopicPartition) -> int | None:
        """What the test has committed."""
        return self.offsets.get(partition)

    async def beginning_offsets(self, partitions: list[TopicPartition]) -> dict[Any, int]:
        """All from the first on."""
        return dict.fromkeys(partitions, 0)

    async def end_offsets(self, partitions: list[TopicPartition]) -> dict[Any, int]:
        """Ten records each."""
        return dict.fromkeys(partitions, 10)

    def partitions_for_topic(self, _: str) -> set[int]:
        """Both."""
        return {0, 1}


class Finding(Delivery):
    """Begins where the group has got to, once the test lets it."""

    async def open(self, partition: TopicPartition, holder: Any) -> Lane:
        """The second partition is looked up late."""
        await super().open(partition, holder)
        found: Lane = await holder.find(partition)
        return found


def test_a_new_group_begins_at_the_end_though_another_member_was_faster() -> None:
    """It has committed where its own partition begins: that does not make ours an added one."""

    async def run() -> int:
        group, delivery = Group(), Finding()
        source = SourceSpec.model_validate({"topic": "tx", "schema": {}, "start": "latest"})
        meter = Meters().of("fraud", "tx")
        ours = Assignment(group, source, meter, delivery, lambda _: None, 5.0)  # type: ignore[arg-type]
        await ours.on_partitions_assigned([SECOND])
        async with asyncio.timeout(5.0):
            while not delivery.opened:  # noqa: ASYNC110 - no event tells of it
                await asyncio.sleep(0)
        group.offsets[FIRST] = 10
        delivery.ready.set()
        return (await until_opened(ours, SECOND)).frontier.position

    assert asyncio.run(run()) == 10
