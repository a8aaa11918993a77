"""The benchmark's topics: made anew, counted, and read back by an independent client."""

from __future__ import annotations

import time
from collections.abc import Iterator

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from bench.product import GRAPH
from worker.graph.spec import load

_SPEC, _ = load(GRAPH)
EVENTS, SCORED, DEAD = _SPEC.source.topic, _SPEC.sink.topic, _SPEC.dead_letter_topic
PASSED_ON = "bench-passed-on"
OUTPUTS = (PASSED_ON, SCORED, DEAD)
PARTITIONS = 4
TIMEOUT_S = 30.0
READ_EVENTS = 10_000
_PAUSE_S = 0.1


def renew(brokers: str) -> None:
    """Deletes all topics of the benchmark and makes them again, empty.

    The broker stamps output records with the time of their append.

    Raises:
        KafkaException: the broker refused.
    """
    admin = AdminClient({"bootstrap.servers": brokers})
    stamped = {"message.timestamp.type": "LogAppendTime"}
    wanted = [NewTopic(EVENTS, PARTITIONS, 1)]
    wanted += [NewTopic(name, PARTITIONS, 1, config=stamped) for name in OUTPUTS]
    there = set(admin.list_topics(timeout=TIMEOUT_S).topics)
    old = [topic.topic for topic in wanted if topic.topic in there]
    for done in (admin.delete_topics(old) if old else {}).values():
        done.result(TIMEOUT_S)
    deadline_s = time.monotonic() + TIMEOUT_S
    while there & set(old) and time.monotonic() < deadline_s:
        there = set(admin.list_topics(timeout=TIMEOUT_S).topics)
        time.sleep(_PAUSE_S)
    for done in admin.create_topics(wanted).values():
        done.result(TIMEOUT_S)
    while not {topic.topic for topic in wanted} <= set(admin.list_topics(timeout=TIMEOUT_S).topics):
        time.sleep(_PAUSE_S)
        if time.monotonic() > deadline_s:
            raise RuntimeError("the new topics do not appear")


class Reader:
    """A consumer without a group; ``with`` closes it."""

    def __init__(self, brokers: str) -> None:
        settings = {"group.id": "bench-reader", "enable.auto.commit": False}
        fast = {"fetch.wait.max.ms": 100, "fetch.queue.backoff.ms": 1}
        self.consumer = Consumer({"bootstrap.servers": brokers, **settings, **fast})

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.consumer.close()

    def length(self, *topics: str) -> int:
        """How many records the topics hold."""
        return sum(
            self.consumer.get_watermark_offsets(TopicPartition(topic, number), TIMEOUT_S)[1]
            for topic in topics
            for number in range(PARTITIONS)
        )

    def follow(self, topic: str) -> None:
        """From now on ``consumer.poll`` gives what comes to the topic next."""
        ends = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        for end in ends:
            end.offset = self.consumer.get_watermark_offsets(end, TIMEOUT_S)[1]
        self.consumer.assign(ends)

    def read(self, topic: str) -> Iterator[Message]:
        """All records that the topic holds by now.

        Raises:
            RuntimeError: they do not come.
        """
        left = self.length(topic)
        self.consumer.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
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
