"""Takes records from the consumer into the lanes: each exactly once per assignment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import (
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)

from worker.errors import TransportError
from worker.stream.denied import FORBIDDEN, refused
from worker.stream.lane import Lane
from worker.stream.link import Link
from worker.stream.record import Record
from worker.stream.ticket import Taken

log = structlog.get_logger(__name__)

POLL_MS = 200
_OF_THE_PLACE = (IllegalStateError, NoOffsetForPartitionError, OffsetOutOfRangeError)


async def take(link: Link, most: int, valid: Callable[[], bool]) -> list[Taken]:
    """The next records, at least one unless none came in time.

    Args:
        link: whose consumer is asked.
        most: upper bound of records.
        valid: false once what was being fetched meanwhile must be fetched again.

    Raises:
        TransportError: Kafka refused, or a record cannot be read.
    """
    ready = set(link.assignment.lanes.values())
    found = await _fetched(link, most)
    taken = []
    for partition, records in found.items():
        lane = link.assignment.lanes.get(partition)
        if lane is None or not lane.open:
            continue
        if lane not in ready or not valid():  # from before its position was sought
            link.consumer.seek(partition, lane.frontier.taken)
            continue
        for part in _parted(records, lane.most):
            span = lane.take(part[-1].offset + 1, len(part), part[0].timestamp)
            taken.append(Taken(lane, span, part))
    if not found:
        _check_fetcher(link)
        await _skip_markers(link, ready)
    return taken


def put_back(link: Link, taken: Sequence[Taken]) -> None:
    """What was just taken is read again; nothing of it may have been delivered."""
    for part in reversed(taken):
        start = part.lane.put_back(part.span)
        if part.lane.open:
            link.consumer.seek(part.lane.partition, start)


async def rest(link: Link, resting: Callable[[], bool]) -> None:
    """Takes nothing while ``resting``, and stays in the group: the consumer is polled.

    A lane that appears meanwhile is paused as well; what was read of it is read again.

    Raises:
        TransportError: as `take`.
    """
    lanes = link.assignment.lanes
    while resting():
        link.consumer.pause(*(lane.partition for lane in lanes.values() if lane.open))
        for partition in await _fetched(link, 1):
            lane = lanes.get(partition)
            if lane is not None and lane.open:
                link.consumer.seek(partition, lane.frontier.taken)
    link.consumer.resume(*(lane.partition for lane in lanes.values() if lane.open))


def _parted(records: list[Record], most: int) -> Iterable[list[Record]]:
    if len(records) <= most:
        return (records,)
    return (records[start : start + most] for start in range(0, len(records), most))


async def _fetched(link: Link, most: int) -> Mapping[TopicPartition, list[Record]]:
    """What the consumer has; nothing where it has to be asked again."""
    try:
        found: Mapping[TopicPartition, list[Record]] = await link.consumer.getmany(
            timeout_ms=POLL_MS, max_records=most
        )
    except OffsetOutOfRangeError as error:
        await _return_to_log(link, error.args[0])
        return {}
    except NoOffsetForPartitionError:
        return {}  # asked before the lane sought its start
    except FORBIDDEN as error:
        raise refused(error) from error
    except Exception as error:  # noqa: BLE001 - broken records raise errors of every kind
        if not getattr(error, "retriable", False):
            return await _one_each(link)
        log.warning("fetch_failed", error=f"{type(error).__name__}: {error}")
        return {}
    return found


async def _one_each(link: Link) -> dict[TopicPartition, list[Record]]:
    """The next record of each partition, by itself: one among the next cannot be read.

    What stands before it is still taken, and its place is known.

    Raises:
        TransportError: it is the next one.
    """
    lanes = [lane for lane in link.assignment.lanes.values() if lane.open]
    for lane in lanes:  # the records that were fetched with it are lost
        link.consumer.seek(lane.partition, lane.frontier.taken)
    found: dict[TopicPartition, list[Record]] = {}
    for lane in lanes:
        try:
            found.update(
                await link.consumer.getmany(lane.partition, timeout_ms=POLL_MS, max_records=1)
            )
        except Exception as error:
            # Revoked meanwhile, or without an offset: that tells nothing of a record.
            if not lane.open or isinstance(error, _OF_THE_PLACE):
                continue
            if getattr(error, "retriable", False):
                continue
            if found:
                link.consumer.seek(lane.partition, lane.frontier.taken)
                return found
            await lane.idle()
            place = f"{lane.partition.topic}-{lane.partition.partition}@{lane.frontier.taken}"
            raise TransportError(
                f"the record at {place} or one of its batch cannot be read: "
                f"{type(error).__name__}: {error}; where it is broken for good, move the group "
                "past it with kafka-consumer-groups.sh",
                retriable=False,
            ) from error
    return found


def _check_fetcher(link: Link) -> None:
    """Notices that aiokafka's fetching has ended: it would say nothing and bring nothing more.

    Raises:
        TransportError: why it ended.
    """
    fetching = link.consumer._fetcher.error_future
    if fetching.done() and not fetching.cancelled() and fetching.exception() is not None:
        error = fetching.exception().__cause__ or fetching.exception()
        raise TransportError(
            f"reading has ended: {type(error).__name__}: {error}; start the worker again",
            retriable=True,
        )


async def _skip_markers(link: Link, lanes: Iterable[Lane]) -> None:
    """At rest, the frontiers move over what holds no record: transaction markers, aborted ones."""
    for lane in lanes:
        if lane.open and not lane.frontier.in_flight:
            lane.frontier.skip(await link.consumer.position(lane.partition))


async def _return_to_log(link: Link, wanted: Mapping[TopicPartition, int]) -> None:
    """Goes on where the log now begins, once what is in work is settled."""
    for partition, offset in wanted.items():
        lane = link.assignment.lanes.get(partition)
        if lane is None:
            continue
        await lane.idle()
        try:
            first = (await link.consumer.beginning_offsets([partition]))[partition]
            end = (await link.consumer.end_offsets([partition]))[partition]
        except KafkaError as error:  # the next fetch leads here again
            log.warning("fetch_failed", error=f"{type(error).__name__}: {error}")
            return
        if link.assignment.lanes.get(partition) is not lane or not lane.open:
            continue  # revoked meanwhile: the next owner looks where the log begins
        start = link.assignment.within(partition, offset, first, end)
        lane.restart(start)
        link.consumer.seek(partition, start)
