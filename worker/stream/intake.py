"""Takes records from the consumer into the lanes: each exactly once per assignment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from worker.errors import TransportError
from worker.stream.connect import FORBIDDEN, refused
from worker.stream.frontier import Span
from worker.stream.lane import Lane
from worker.stream.link import Link
from worker.stream.publish import Segment
from worker.stream.record import Record

log = structlog.get_logger(__name__)

POLL_MS = 200


@dataclass(frozen=True, slots=True)
class Taken:
    """Consecutive records of one lane, noted there as in work."""

    lane: Lane
    span: Span
    records: list[Record]


async def take(link: Link, most: int, valid: Callable[[], bool]) -> list[Taken]:
    """The next records, at least one unless none came in time.

    Args:
        link: whose consumer is asked.
        most: upper bound of records.
        valid: false once what was being fetched meanwhile must be fetched again.

    Raises:
        KafkaError: one that waiting does not mend.
    """
    ready = set(link.assignment.lanes.values())
    try:
        found = await link.consumer.getmany(timeout_ms=POLL_MS, max_records=most)
    except OffsetOutOfRangeError as error:
        await _return_to_log(link, error.args[0])
        return []
    except NoOffsetForPartitionError:
        return []  # asked before the lane sought its start
    except FORBIDDEN as error:
        raise refused(error) from error
    except Exception as error:
        if not getattr(error, "retriable", False):
            raise _unreadable(link, error) from error
        log.warning("fetch_failed", error=f"{type(error).__name__}: {error}")
        return []
    taken = []
    for partition, records in found.items():
        lane = link.assignment.lanes.get(partition)
        if lane is None or not lane.open:
            continue
        if lane not in ready or not valid():  # from before its position was sought
            link.consumer.seek(partition, lane.frontier.taken)
            continue
        span = lane.take(records[-1].offset + 1, len(records), records[0].timestamp)
        taken.append(Taken(lane, span, records))
    if not found:
        _check_fetcher(link)
        await _skip_markers(link, ready)
    return taken


def _check_fetcher(link: Link) -> None:
    """Notices that aiokafka's fetching has ended: it would say nothing and bring nothing more.

    Raises:
        TransportError: why it ended.
    """
    fetching = link.consumer._fetcher.error_future
    if fetching.done() and not fetching.cancelled() and fetching.exception() is not None:
        error = fetching.exception()
        raise _unreadable(link, error.__cause__ or error)


def _unreadable(link: Link, error: BaseException) -> TransportError:
    places = ", ".join(
        f"{lane.partition.topic}-{lane.partition.partition}@{lane.frontier.taken}"
        for lane in link.assignment.lanes.values()
    )
    return TransportError(
        f"what comes next cannot be read ({places}): {type(error).__name__}: {error}; where a "
        "record is broken for good, move the group past it with kafka-consumer-groups.sh",
        retriable=False,
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


def joined(taken: Iterable[Taken]) -> tuple[list[Segment], list[Record]]:
    """The records of a batch one after the other, and where each lane's stand."""
    segments: list[Segment] = []
    records: list[Record] = []
    for part in taken:
        start = len(records)
        records += part.records
        segments.append(Segment(part.lane.partition.partition, start, len(records)))
    return segments, records
