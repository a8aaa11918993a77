"""Sends events to a topic and counts what Kafka acknowledged."""

from __future__ import annotations

import time

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from worker.settings import Settings
from worker.stream.tools.connect import TRY_S, Reasons, configuration

DELIVERY_TIMEOUT_S = 30.0
MAX_MESSAGE_BYTES = 100_000_000
"""What a record may weigh is for the broker to say, not for this client."""

_AWAY = frozenset({KafkaError._MSG_TIMED_OUT, KafkaError._TRANSPORT, KafkaError._TIMED_OUT})


class Sender:
    """An idempotent producer with acks=all; a key decides the partition as in Java's clients.

    Attributes:
        sent: acknowledged events.
        failed: events that Kafka refused, or did not take in time.
        reason: of the first failure; empty without one.
        unreachable: whether a failure was for want of an answer.
    """

    def __init__(self, settings: Settings, topic: str) -> None:
        """Nothing is asked of Kafka yet."""
        self.sent = self.failed = 0
        self.reason, self.unreachable = "", False
        self._topic, self._reasons = topic, Reasons()
        self._producer = Producer(
            {
                **configuration(settings),
                "error_cb": self._reasons,
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "delivery.timeout.ms": int(DELIVERY_TIMEOUT_S * 1_000),
                "message.max.bytes": MAX_MESSAGE_BYTES,
            }
        )

    def send(self, value: bytes, key: bytes | None = None) -> None:
        """Enqueues an event; waits while the queue is full."""
        while True:
            try:
                self._producer.produce(self._topic, value, key, on_delivery=self._delivered)
            except BufferError:
                self._producer.poll(TRY_S)
            except KafkaException as error:  # longer than any record can be
                self._fail(error.args[0])
                return
            else:
                self._producer.poll(0)
                return

    def poll(self) -> None:
        """Takes the acknowledgements that have come."""
        self._producer.poll(0)

    def finish(self, timeout_s: float = DELIVERY_TIMEOUT_S + 5) -> None:
        """Waits until every event is acknowledged or has failed; what is left then has failed."""
        deadline_s = time.monotonic() + timeout_s
        while len(self._producer) and time.monotonic() < deadline_s:
            self._producer.flush(TRY_S)
        if len(self._producer):
            self._producer.purge()
            self._producer.flush(TRY_S)

    def _delivered(self, error: KafkaError | None, _: Message) -> None:
        if error is None:
            self.sent += 1
        else:
            self._fail(error)

    def _fail(self, error: KafkaError) -> None:
        self.failed += 1
        away = error.code() in _AWAY
        self.unreachable |= away
        self.reason = self.reason or (self._reasons.last if away else "") or error.str()
