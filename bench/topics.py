"""The benchmark's topics: made anew, counted, and read back by an independent client."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

EVENTS, SCORED, DEAD = "bench-events", "bench-scored", "bench-dead"
PASSED_ON = "bench-passed-on"
PARTITIONS = 4
TIMEOUT_S = 30.0
REACH_TIMEOUT_S = 10.0
READ_EVENTS = 10_000
_PAUSE_S = 0.1
_NOT_YET = (
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_PARTITION,
    KafkaError._UNKNOWN_TOPIC,
)


def client(brokers: str) -> dict[str, str | int | float | bool]:
    """What the benchmark's own clients share; their errors reach it, so librdkafka logs nothing."""
    return {"bootstrap.servers": brokers, "log_level": 0}


def reachable(brokers: str) -> bool:
    """Whether Kafka answers there."""
    try:
        AdminClient(client(brokers)).list_topics(timeout=REACH_TIMEOUT_S)
    except KafkaException:
        return False
    return True


def renew(
    brokers: str,
    outputs: Iterable[str],
    partitions: int = PARTITIONS,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Deletes the topics of the load and of its outputs and makes them again, empty.

    The broker stamps output records with the time of their append; ``settings`` are for all.

    Raises:
        KafkaException: the broker refused.
        RuntimeError: it took too long.
    """
    admin = AdminClient(client(brokers))
    stamped = {**settings, "message.timestamp.type": "LogAppendTime"}
    wanted = [NewTopic(EVENTS, partitions, 1, config=dict(settings))]
    wanted += [NewTopic(name, partitions, 1, config=stamped) for name in outputs]
    there = set(admin.list_topics(timeout=TIMEOUT_S).topics)
    old = [topic.topic for topic in wanted if topic.topic in there]
    for done in (admin.delete_topics(old) if old else {}).values():
        done.result(TIMEOUT_S)
    deadline_s = time.monotonic() + TIMEOUT_S
    while set(old) & set(admin.list_topics(timeout=TIMEOUT_S).topics):
        _pause(deadline_s, "the topics of the last round do not go away")
    for done in admin.create_topics(wanted).values():
        done.result(TIMEOUT_S)
    with Reader(brokers) as reader:
        while not reader.are_led([topic.topic for topic in wanted]):
            _pause(deadline_s, "the new topics have no leaders")


def _pause(deadline_s: float, reason: str) -> None:
    if time.monotonic() > deadline_s:
        raise RuntimeError(f"{reason} within {TIMEOUT_S:.0f} s")
    time.sleep(_PAUSE_S)


class Reader:
    """A consumer that joins no group; ``with`` closes it.

    Args:
        brokers: where to read.
        group: whose committed offsets `committed` tells of.
    """

    def __init__(self, brokers: str, group: str | None = None) -> None:
        settings = {"group.id": group or "bench-reader", "enable.auto.commit": False}
        fast = {"fetch.wait.max.ms": 100, "fetch.queue.backoff.ms": 1}
        self.consumer = Consumer({**client(brokers), **settings, **fast})

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.consumer.close()

    def are_led(self, topics: list[str]) -> bool:
        """Whether every partition answers; for a moment a new one does not."""
        try:
            self.length(*topics)
        except KafkaException as error:
            if error.args[0].code() not in _NOT_YET:
                raise
            return False
        return True

    def length(self, *topics: str) -> int:
        """How many records the topics hold."""
        return sum(self.ends(*topics).values())

    def ends(self, *topics: str) -> dict[tuple[str, int], int]:
        """How many records each partition of the topics holds."""
        return {
            (topic, number): self.consumer.get_watermark_offsets(
                TopicPartition(topic, number), TIMEOUT_S
            )[1]
            for topic in topics
            for number in self._partitions(topic)
        }

    def committed(self, topic: str) -> int:
        """How many records of the topic lie below the group's committed offsets."""
        parts = [TopicPartition(topic, number) for number in self._partitions(topic)]
        found = self.consumer.committed(parts, TIMEOUT_S)
        return sum(max(one.offset, 0) for one in found)

    def _partitions(self, topic: str) -> list[int]:
        found = self.consumer.list_topics(topic, TIMEOUT_S).topics[topic]
        if found.error is not None:
            raise KafkaException(found.error)
        return list(found.partitions)

    def follow(self, topic: str) -> None:
        """From now on ``consumer.poll`` gives what comes to the topic next."""
        self.consumer.assign([TopicPartition(*one, end) for one, end in self.ends(topic).items()])

    def read(self, topic: str, n: int | None = None) -> Iterator[Message]:
        """All records that the topic holds by now, or so many, where markers take offsets too.

        Raises:
            RuntimeError: they do not come.
        """
        ends = self.ends(topic)
        left = sum(ends.values()) if n is None else n
        self.consumer.assign([TopicPartition(*one, 0) for one in ends])
        while left:
            found = self.consumer.consume(min(left, READ_EVENTS), TIMEOUT_S)
            if not found:
                raise RuntimeError(f"{left} records of '{topic}' cannot be read")
            for message in found:
                error = message.error()
                if error is not None:
                    raise KafkaException(error)
            yield from found
            left -= len(found)
