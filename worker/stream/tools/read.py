"""Reads topics as they are, without a group."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import cast

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Consumer, KafkaError, Message, TopicPartition

from worker.errors import TransportError
from worker.settings import Settings
from worker.stream.tools.configuration import Reasons, configuration, told
from worker.stream.tools.connect import READER, Place

Header = tuple[str, bytes | None]


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as Kafka holds it; ``value`` is None for a tombstone."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int | None
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...]

    def header(self, name: str) -> str:
        """The text of the last header of that name; empty where there is none."""
        value = dict(self.headers).get(name)
        return "" if value is None else value.decode(errors="replace")


class Reader:
    """Reads partitions from given offsets, committed records only; leaves no trace in Kafka.

    Attributes:
        reached: the next offset by partition; at an end also past transaction markers.
    """

    def __init__(
        self,
        settings: Settings,
        starts: Mapping[Place, int],
        waiting: Callable[[str], None] = lambda _: None,
    ) -> None:
        """``waiting`` is told why Kafka does not answer; reading goes on once it does."""
        self.reached = dict(starts)
        self._reasons, self._waiting = Reasons(), waiting
        self._consumer = Consumer(
            {
                **configuration(settings),
                "error_cb": self._reasons,
                "group.id": READER,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "fetch.wait.max.ms": settings.fetch_max_wait_ms,
            }
        )
        self._consumer.assign([TopicPartition(*place, start) for place, start in starts.items()])

    def take(self, most: int, timeout_s: float) -> list[Stored]:
        """What has come, up to ``most`` records; waits for the first one.

        Raises:
            TransportError: a partition that cannot be read any more, with Kafka's reason.
        """
        found: list[Stored] = []
        first = self._consumer.poll(timeout_s)
        messages = [] if first is None else [first, *self._consumer.consume(most - 1, 0)]
        for message in messages:
            if self._is_record(message):
                record = _stored(message)
                self.reached[record.topic, record.partition] = record.offset + 1
                found.append(record)
        self._reasons.tell(self._waiting)
        return found

    def _is_record(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return True
        place = (message.topic() or "", message.partition() or 0)
        if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
            return False  # `READER` is looked for unasked; reading goes on without it
        if error.code() == KafkaError._PARTITION_EOF:
            self.reached[place] = max(self.reached[place], message.offset() or 0)
        elif not error.retriable() and error.code() != KafkaError._TRANSPORT:
            text = f"reading {place[0]}-{place[1]}: {told(error, place[0])}"
            raise TransportError(text, retriable=False)
        return False

    def close(self) -> None:
        """Disconnects."""
        self._consumer.close()

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _stored(message: Message) -> Stored:
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None  # only errors that concern no partition have no place
    assert partition is not None
    assert offset is not None
    kind, timestamp_ms = message.timestamp()
    headers = cast(list[Header], message.headers() or [])  # a dict is only ever sent
    return Stored(
        topic=topic,
        partition=partition,
        offset=offset,
        timestamp_ms=None if kind == TIMESTAMP_NOT_AVAILABLE else timestamp_ms,
        key=_bytes(message.key()),
        value=_bytes(message.value()),
        headers=tuple(headers),
    )


def _bytes(value: str | bytes | None) -> bytes | None:
    """Kafka knows bytes only; the client's types allow text, for what it sends."""
    return value.encode() if isinstance(value, str) else value
