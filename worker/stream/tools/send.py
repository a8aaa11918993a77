"""Sends events to a topic and counts what Kafka acknowledged."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from worker.settings import Settings
from worker.stream.tools.configuration import Reasons, configuration, told
from worker.stream.tools.connect import TRY_S

DELIVERY_TIMEOUT_S = 30.0
MIN_TIMEOUT_S, MAX_TIMEOUT_S = 1.0, 2_000_000.0
"""librdkafka counts milliseconds in 31 bits: who waits for ever waits for 23 days."""
GRACE_S = 2.0
"""librdkafka looks for events that have timed out once a second."""
MAX_MESSAGE_BYTES = 100_000_000
"""What a record may weigh is for the broker to say, not for this client."""

_AWAY = frozenset(
    {
        KafkaError._MSG_TIMED_OUT,
        KafkaError._TRANSPORT,
        KafkaError._TIMED_OUT,
        KafkaError._PURGE_QUEUE,
        KafkaError._PURGE_INFLIGHT,
    }
)

Settled = Callable[[str], None]
"""Told once what became of an event: nothing where Kafka acknowledged it, else why it refused."""


class Sender:
    """An idempotent producer with acks=all; a key decides the partition as in Java's clients.

    Attributes:
        sent: acknowledged events.
        failed: events that Kafka refused, or did not take in time.
        reason: of the first failure; empty without one.
        unreachable: whether a failure was for want of an answer.
    """

    def __init__(
        self,
        settings: Settings,
        topic: str,
        timeout_s: float = DELIVERY_TIMEOUT_S,
        waiting: Callable[[str], None] = lambda _: None,
        linger_ms: float | None = None,
    ) -> None:
        """Asks nothing of Kafka yet.

        Args:
            settings: whose brokers are used.
            topic: where to.
            timeout_s: an event that is not acknowledged for so long has failed.
            waiting: told why Kafka does not answer.
            linger_ms: how long events are gathered for a request; None is librdkafka's default.
        """
        self.sent = self.failed = 0
        self.reason, self.unreachable = "", False
        self._topic, self._reasons, self._waiting = topic, Reasons(), waiting
        self._timeout_s = min(max(timeout_s, MIN_TIMEOUT_S), MAX_TIMEOUT_S)
        lingering = {} if linger_ms is None else {"linger.ms": linger_ms}
        self._producer = Producer(
            {
                **configuration(settings),
                "error_cb": self._reasons,
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "delivery.timeout.ms": int(self._timeout_s * 1_000),
                "message.max.bytes": MAX_MESSAGE_BYTES,
                **lingering,
            }
        )

    def send(
        self,
        value: bytes,
        key: bytes | None = None,
        timestamp_ms: int | None = None,
        settled: Settled = lambda _: None,
    ) -> None:
        """Enqueues an event; waits while the queue is full.

        Args:
            value: of the record.
            key: of the record.
            timestamp_ms: of the record; None is now.
            settled: told the outcome; never, where Kafka did not answer.

        Raises:
            TransportError: Kafka refuses this client.
        """
        told = partial(self._delivered, settled)
        while True:
            try:
                self._producer.produce(
                    self._topic, value, key, on_delivery=told, timestamp=timestamp_ms or 0
                )
            except BufferError:
                self._producer.poll(TRY_S)
                self._reasons.tell(self._waiting)
            except KafkaException as error:  # longer than any record can be
                self._fail(error.args[0], settled)
                return
            else:
                self.poll()
                return

    def poll(self) -> None:
        """Takes the acknowledgements that have come.

        Raises:
            TransportError: Kafka refuses this client.
        """
        self._producer.poll(0)
        self._reasons.tell(self._waiting)

    def finish(self, timeout_s: float = math.inf) -> None:
        """Waits until every event is acknowledged or has failed; what is left then has failed."""
        deadline_s = time.monotonic() + min(timeout_s, self._timeout_s + GRACE_S)
        while len(self._producer) and time.monotonic() < deadline_s:
            self._producer.flush(TRY_S)
            self._reasons.tell(self._waiting)
        if len(self._producer):
            self._producer.purge()
            self._producer.flush(TRY_S)

    def _delivered(self, settled: Settled, error: KafkaError | None, _: Message) -> None:
        if error is None:
            self.sent += 1
            settled("")
        else:
            self._fail(error, settled)

    def _fail(self, error: KafkaError, settled: Settled) -> None:
        self.failed += 1
        away = error.code() in _AWAY
        self.unreachable |= away
        silence = f"Kafka did not answer for {self._timeout_s:g} s"
        said = (self._reasons.last or silence) if away else told(error, self._topic)
        self.reason = self.reason or said
        if not away:
            settled(said)
