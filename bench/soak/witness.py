"""What comes out, seen by an independent consumer that keeps one byte for each event."""

from __future__ import annotations

import threading
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from bench import load, topics
from bench.soak.events import Fate, Visits
from bench.topics import DEAD, SCORED, client

POLL_S = 0.1
_PASSING = (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT)


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of events that were sent, by the records in Kafka alone.

    Attributes:
        lost: should have come out, and have not.
        duplicated: records beyond the first of their event.
        strayed: scored instead of dropped, or the like.
    """

    scored: int
    dead: int
    lost: int
    duplicated: int
    strayed: int


class Witness(threading.Thread):
    """Follows the outputs from their start; ``with`` starts and ends it."""

    def __init__(
        self, brokers: str, visits: Visits, events: int, due_s: Callable[[int], float]
    ) -> None:
        """``events`` will be sent at most; ``due_s`` says when the one of a number was due."""
        super().__init__(daemon=True)
        self._visits, self._due_s = visits, due_s
        self._copies = np.zeros(events, np.uint8)
        self._times_ms = array("d")
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._seen = {Fate.SCORED: 0, Fate.DEAD: 0}
        self._strayed = 0
        self.failure: Exception | None = None
        self._consumer = Consumer(
            {**client(brokers), "group.id": "soak-witness", "enable.auto.commit": False}
            | {"isolation.level": "read_committed", "fetch.wait.max.ms": 100}
        )
        with topics.Reader(brokers) as reader:
            places = reader.ends(SCORED, DEAD)
        self._consumer.assign([TopicPartition(*one, 0) for one in places])

    def __enter__(self) -> Witness:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()
        self._consumer.close()

    @property
    def seen(self) -> int:
        """Records so far."""
        return sum(self._seen.values())

    def run(self) -> None:
        """Until the end of the context."""
        try:
            while not self._over.is_set():
                message = self._consumer.poll(POLL_S)
                if message is not None:
                    self._take(message)
        except Exception as error:  # noqa: BLE001 - told where it is asked for
            self.failure = error

    def _take(self, message: Message) -> None:
        now_s = time.perf_counter()
        error = message.error()
        if error is not None:
            if error.code() not in _PASSING:
                raise KafkaException(error)
            return
        number = load.number_of(message)
        fate = Fate.SCORED if message.topic() == SCORED else Fate.DEAD
        with self._lock:
            self._seen[fate] += 1
            self._strayed += fate is not self._visits.fate(number)
            self._copies[number] = min(self._copies[number] + 1, 255)
            self._times_ms.append(1_000 * (now_s - self._due_s(number)))

    def window(self) -> array[float]:
        """The milliseconds from due to seen of all that came since the last call."""
        with self._lock:
            times_ms, self._times_ms = self._times_ms, array("d")
        return times_ms

    def missing(self, sent: int) -> int:
        """How many of the first ``sent`` events should have come out, and have not."""
        with self._lock:
            unseen = np.flatnonzero(self._copies[:sent] == 0).tolist()
        return sum(self._visits.fate(number) is not Fate.DROPPED for number in unseen)

    def counts(self, sent: int) -> Counts:
        """What became of the first ``sent`` events."""
        lost = self.missing(sent)
        with self._lock:
            distinct = int((self._copies > 0).sum())
            duplicated = self.seen - distinct
            return Counts(
                self._seen[Fate.SCORED], self._seen[Fate.DEAD], lost, duplicated, self._strayed
            )
