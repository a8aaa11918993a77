"""An independent witness: what Kafka holds, seen by confluent-kafka instead of the worker."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar, cast

from confluent_kafka import (
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.kafka.sending import Header as Header
from tests.kafka.sending import Record as Record
from tests.kafka.sending import produce as produce

TIMEOUT_S = 60.0
_NO_COORDINATOR = (
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as Kafka holds it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: list[Header]
    timestamp_ms: int | None

    def header(self, name: str) -> bytes | None:
        """The value of the last header of that name, None where there is none."""
        return dict(self.headers).get(name)


class MakeTopic(Protocol):
    """The type of the fixture ``topic``."""

    def __call__(
        self, partitions: int = 4, config: Mapping[str, str] | None = None, suffix: str = ""
    ) -> str:
        """Create a topic and return its name."""


def create_topic(
    bootstrap: str, name: str, partitions: int = 4, config: Mapping[str, str] | None = None
) -> None:
    """Create a topic, which keeps old timestamps, and return once each partition has a leader."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    settings = {"retention.ms": "-1", **(config or {})}
    new = NewTopic(name, num_partitions=partitions, replication_factor=1, config=settings)
    admin.create_topics([new])[name].result(TIMEOUT_S)
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        # All topics, because a look-up by name would create it where Kafka allows that.
        found = admin.list_topics(timeout=TIMEOUT_S).topics.get(name)
        leaders = [one.leader for one in found.partitions.values()] if found else []
        if len(leaders) == partitions and min(leaders) >= 0:
            return
        assert time.monotonic() < deadline, f"topic '{name}' has no leaders after {TIMEOUT_S:.0f} s"


def read_all(
    bootstrap: str,
    topic: str,
    isolation: str = "read_committed",
    until: int | Mapping[int, int] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> list[Stored]:
    """Read a topic from its beginning, without a group.

    Args:
        bootstrap: the broker's address.
        topic: what to read.
        isolation: ``read_committed`` or ``read_uncommitted``.
        until: at least this many records, or these end offsets; None: the end offsets of now.
        timeout_s: a failure after that time.

    Returns:
        All that was read, partition by partition, each in the order of its offsets.
    """
    count = until if isinstance(until, int) else None
    ends = end_offsets(bootstrap, topic) if until is None or isinstance(until, int) else until
    records: list[Stored] = []
    reached = dict.fromkeys(ends, 0)
    deadline = time.monotonic() + timeout_s
    with _consumer(bootstrap, isolation=isolation) as consumer:
        # By number: librdkafka waits half a second before it asks where the beginning is.
        starts = {number: _watermarks(consumer, topic, number)[0] for number in ends}
        consumer.assign([TopicPartition(topic, *place) for place in starts.items()])
        while (
            len(records) < count
            if count is not None
            else any(reached[number] < end for number, end in ends.items())
        ):
            assert time.monotonic() < deadline, (
                f"{len(records)} records of '{topic}' in {timeout_s:.0f} s, offsets {reached}, "
                f"wanted {ends if count is None else count}"
            )
            message = consumer.poll(0.1)
            if message is None:
                continue
            number, offset = _known(message.partition()), _known(message.offset())
            if error := message.error():
                assert error.code() == KafkaError._PARTITION_EOF, str(error)
                # Transaction markers and aborted records are passed over, up to this offset.
                reached[number] = max(reached[number], offset)
            else:
                records.append(_stored(message))
                reached[number] = offset + 1
    return sorted(records, key=lambda record: (record.partition, record.offset))


def end_offsets(bootstrap: str, topic: str, isolation: str = "read_committed") -> dict[int, int]:
    """Partition -> the offset that its next record will get, or before an open transaction."""
    with _consumer(bootstrap, isolation) as consumer:
        return {
            partition: _watermarks(consumer, topic, partition)[1]
            for partition in _partitions(consumer, topic)
        }


def committed(bootstrap: str, group: str, topic: str) -> dict[int, int]:
    """Partition -> the offset that a group has committed; partitions without one are left out."""
    with _consumer(bootstrap, group=group) as consumer:
        asked = [TopicPartition(topic, number) for number in _partitions(consumer, topic)]
        try:
            found = consumer.committed(asked, timeout=TIMEOUT_S)
        except KafkaException as error:  # a new broker is still making its topic of offsets
            if error.args[0].code() not in _NO_COORDINATOR:
                raise
            return {}
        return {one.partition: one.offset for one in found if one.offset >= 0}


@contextmanager
def _consumer(
    bootstrap: str, isolation: str = "read_committed", group: str | None = None
) -> Iterator[Consumer]:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group or f"witness-{uuid.uuid4().hex}",
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "isolation.level": isolation,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 50,
        }
    )
    try:
        yield consumer
    finally:
        consumer.close()


def _watermarks(consumer: Consumer, topic: str, partition: int) -> tuple[int, int]:
    """The first offset that is there, and the one that the next record will get."""
    place = TopicPartition(topic, partition)
    return consumer.get_watermark_offsets(place, timeout=TIMEOUT_S, cached=False)


def _partitions(consumer: Consumer, topic: str) -> list[int]:
    """Asks for all topics, because Kafka may create one that is asked for by name."""
    return sorted(consumer.list_topics(timeout=TIMEOUT_S).topics[topic].partitions)


def _stored(message: Message) -> Stored:
    kind, timestamp = message.timestamp()
    return Stored(
        topic=_known(message.topic()),
        partition=_known(message.partition()),
        offset=_known(message.offset()),
        key=message.key(),
        value=message.value(),
        headers=cast(list[Header], message.headers() or []),
        timestamp_ms=None if kind == TIMESTAMP_NOT_AVAILABLE else timestamp,
    )


def _known(value: T | None) -> T:
    """A part of a message that every message from a broker has."""
    assert value is not None
    return value
