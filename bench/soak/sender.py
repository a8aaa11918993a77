"""Events on a fixed schedule, whatever comes back."""

from __future__ import annotations

import threading
import time

from confluent_kafka import Producer

from bench.soak.events import Visits, key
from bench.topics import EVENTS, TIMEOUT_S, client


class Sender(threading.Thread):
    """Sends numbered events at an even rate.

    Attributes:
        sent: so many were handed to Kafka's client; the last one has the number below that.
        refused: so many Kafka did not take.
        start_s: when the first one was due, by ``time.perf_counter``.
    """

    def __init__(self, brokers: str, load: Visits, rate: int, events: int) -> None:
        super().__init__(daemon=True)
        self._producer = Producer({**client(brokers), "linger.ms": 0, "enable.idempotence": True})
        self._load, self._rate, self._events = load, rate, events
        self.sent = self.refused = 0
        self.start_s = time.perf_counter()

    def due_s(self, number: int) -> float:
        """When the event of that number was due."""
        return self.start_s + number / self._rate

    def run(self) -> None:
        """Sends them all."""
        self.start_s = time.perf_counter()
        for number in range(self._events):
            while (early_s := self.due_s(number) - time.perf_counter()) > 0:
                time.sleep(early_s)
            self._producer.produce(
                EVENTS, self._load.value(number), key(number), on_delivery=self._delivered
            )
            self.sent = number + 1
            self._producer.poll(0)
        self.refused += self._producer.flush(TIMEOUT_S)

    def _delivered(self, error: object, _: object) -> None:
        self.refused += error is not None
