"""A reader of committed records that reads on while workers and brokers come and go."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterable
from itertools import pairwise
from types import TracebackType

from confluent_kafka import Consumer, KafkaError, TopicPartition

from tests.kafka.client import Stored, read_all

Place = tuple[int, int]
"""Partition and offset."""


class Reader:
    """Follows all partitions of a topic from a thread; leaving the context ends it.

    Attributes:
        seen: where the records stand that it was given.
        seen_s: on the monotonic clock, when each of them was.
    """

    def __init__(self, bootstrap: str, topic: str, partitions: int) -> None:
        self.seen: list[Place] = []
        self.seen_s: list[float] = []
        self._end = threading.Event()
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": f"reader-{uuid.uuid4().hex}",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 50,
                "log_level": 2,
            }
        )
        self._consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._end.is_set():
            for message in self._consumer.consume(1_000, 0.1):
                error = message.error()
                partition, offset = message.partition(), message.offset()
                if error is None and partition is not None and offset is not None:
                    self.seen_s.append(time.monotonic())
                    self.seen.append((partition, offset))
                else:
                    assert error is None or error.code() == KafkaError._TRANSPORT, str(error)

    def stall_s(self) -> float:
        """The longest time in which a partition, between its first and last record, gave none."""
        by_partition: dict[int, list[float]] = {}
        for (partition, _), at_s in zip(self.seen, self.seen_s, strict=False):
            by_partition.setdefault(partition, []).append(at_s)
        gaps = (b - a for found in by_partition.values() for a, b in pairwise(found))
        return max(gaps, default=0.0)

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()
        self._thread.join()
        self._consumer.close()


def aborted(bootstrap: str, topic: str, committed: Iterable[Stored]) -> set[Place]:
    """Where the records stand that were written and taken back."""
    every = {(one.partition, one.offset) for one in read_all(bootstrap, topic, "read_uncommitted")}
    return every - {(one.partition, one.offset) for one in committed}
