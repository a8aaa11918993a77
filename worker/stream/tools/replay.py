"""Sends dead letters back, each once: the record and its mark are one transaction."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from worker.errors import TransportError
from worker.settings import Settings
from worker.stream.tools import replays
from worker.stream.tools.configuration import Reasons, configuration, told
from worker.stream.tools.connect import TRY_S
from worker.stream.tools.letters import Letter
from worker.stream.tools.send import MAX_MESSAGE_BYTES
from worker.stream.topics import TopicLimits

MOST_RECORDS, MOST_BYTES, MOST_S = 500, 4_000_000, 0.2
"""Of a transaction: while it is open, readers of the source topic wait."""
_RECORD_BYTES, _HEADER_BYTES = 100, 10
"""What a record batch adds at most to a record's, and to a header's, own bytes."""
_BATCH_BYTES = 1_000_000
_FENCED = frozenset({KafkaError._FENCED, KafkaError.PRODUCER_FENCED})
_SILENT = logging.Logger("rtml-dlq-replay", logging.CRITICAL + 1)


class Routes:
    """Where letters can go back to.

    Attributes:
        limits: of the source topics that were asked for so far.
    """

    def __init__(self, topics: Mapping[str, int], ask: Callable[[str], TopicLimits]) -> None:
        """Takes what Kafka says.

        Args:
            topics: topic -> number of partitions.
            ask: the limits of a topic; asked once for each.
        """
        self.limits: dict[str, TopicLimits] = {}
        self._topics, self._ask = topics, ask

    def partition(self, letter: Letter) -> int:
        """The event's own partition; -1, which lets the key decide, where there is none any more.

        Its key alone would not lead there if the producer chose partitions by something else.
        """
        topic, partition, _ = letter.source or ("", 0, 0)
        return partition if partition < self._topics.get(topic, 0) else -1

    def why_not(self, letter: Letter, now_ms: int) -> str:
        """Why a letter cannot go back; empty where it can."""
        if letter.source is None:
            return "its headers name no source"
        topic = letter.source[0]
        if letter.elsewhere:
            return letter.elsewhere
        if topic.startswith("__") or topic == letter.record.topic:
            return f"'{topic}' is no source topic"
        if topic not in self._topics:
            return f"topic '{topic}' does not exist any more"
        if topic not in self.limits:
            self.limits[topic] = self._ask(topic)
        limits = self.limits[topic]
        if _size(letter) > limits.max_batch_bytes:
            return f"it and the header that marks it are larger than '{topic}' takes"
        if not limits.accepts(letter.timestamp_ms, now_ms):
            return f"'{topic}' does not take records of its time"
        return ""


def _size(letter: Letter) -> int:
    """Bytes of the replayed record in a batch of its own, or a few more."""
    headers = letter.replayed_headers()
    around = sum(len(name.encode()) + len(value or b"") + _HEADER_BYTES for name, value in headers)
    return len(letter.record.key or b"") + len(letter.record.value or b"") + around + _RECORD_BYTES


class Replayer:
    """Sends letters to their source topics in short transactions.

    Its transactional id belongs to the dead-letter topic: making one ends what a killed replay has
    left open, and shuts out one that still runs. What is marked after that stays as it is.

    Attributes:
        replayed: letters whose transaction is committed.
    """

    def __init__(
        self,
        settings: Settings,
        dead_letters: str,
        limits: Mapping[str, TopicLimits],
        wait_s: float,
        waiting: Callable[[str], None],
    ) -> None:
        """Takes the transactional id.

        Args:
            settings: whose brokers are used.
            dead_letters: the topic of the letters.
            limits: of the topics that are sent to.
            wait_s: give up when Kafka does not answer for so long.
            waiting: told why Kafka does not answer.

        Raises:
            TransportError: Kafka does not answer, or refuses.
        """
        self.replayed = 0
        self._marks, self._id = replays.topic_of(dead_letters), f"rtml-dlq-replay/{dead_letters}"
        self._wait_s, self._reasons, self._waiting = wait_s, Reasons(), waiting
        self._open, self._bytes, self._since_s, self._refused = 0, 0, 0.0, ""
        batch = min([one.max_batch_bytes for one in limits.values()], default=_BATCH_BYTES)
        self._producer = Producer(
            {
                **configuration(settings),
                "error_cb": self._reasons,
                "logger": _SILENT,  # to stderr would go what the error callback tells anyway
                "transactional.id": self._id,
                "transaction.timeout.ms": settings.transaction_timeout_ms,
                "partitioner": "murmur2_random",
                "message.max.bytes": MAX_MESSAGE_BYTES,
                "batch.size": min(batch, _BATCH_BYTES),
            }
        )
        self._asked(self._producer.init_transactions)

    @property
    def is_due(self) -> bool:
        """Whether the open transaction should end now."""
        if not self._open:
            return False
        full = self._open >= MOST_RECORDS or self._bytes >= MOST_BYTES
        return full or time.monotonic() - self._since_s > MOST_S

    def send(self, letter: Letter, partition: int) -> None:
        """Adds a letter to the transaction: the record as it was, and its mark.

        Raises:
            TransportError: another replay has begun, or Kafka refuses.
        """
        if letter.source is None:
            raise ValueError("a letter without a source cannot go back")
        topic, record = letter.source[0], letter.record
        if not self._open:
            self._asked(self._producer.begin_transaction)
            self._since_s = time.monotonic()
        self._open += 1
        self._bytes += _size(letter)
        self._produce(
            topic,
            record.value,
            record.key,
            partition=partition,
            timestamp=letter.timestamp_ms,
            headers=letter.replayed_headers(),
        )
        self._produce(self._marks, replays.made(letter, topic), letter.place.encode())

    def commit(self) -> None:
        """Ends the transaction; its letters are replayed.

        Raises:
            TransportError: they are not, or it is not known whether they are: the next replay
                finds out.
        """
        if self._open:
            self._asked(self._producer.commit_transaction)
            self.replayed += self._open
            self._open = self._bytes = 0

    def abort(self) -> None:
        """Takes back what is not committed, within a bound; else the broker does it later."""
        if not self._open:
            return
        self._open = self._bytes = 0
        self._producer.purge()
        try:
            self._producer.abort_transaction(self._wait_s)
        except KafkaException:
            return

    def _produce(self, topic: str, value: bytes | None, key: bytes | None, **around: Any) -> None:
        # The client's queue cannot be full: it takes far more than one transaction holds.
        try:
            self._producer.produce(topic, value, key, on_delivery=self._delivered, **around)
            self._producer.poll(0)
        except KafkaException as error:
            raise self._failure(error.args[0]) from error

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None and not self._refused:
            self._refused = f"{message.topic()}: {told(error, message.topic() or '')}"

    def _asked(self, call: Callable[..., None]) -> None:
        """Calls until Kafka has answered: Ctrl-C is seen in between.

        Raises:
            TransportError: no answer in time, or a refusal.
        """
        deadline_s = time.monotonic() + self._wait_s
        begins = call == self._producer.begin_transaction
        while True:
            try:
                call() if begins else call(TRY_S)
            except KafkaException as error:
                self._reasons.tell(self._waiting)
                if not error.args[0].retriable() or time.monotonic() > deadline_s:
                    raise self._failure(error.args[0]) from error
            else:
                return

    def _failure(self, error: KafkaError) -> TransportError:
        try:
            self._producer.poll(0)
        except KafkaException as cause:  # so the client tells why it is in a fatal state, once
            error = cause.args[0]
        if error.code() in _FENCED:
            message = "another replay of these dead letters has begun and goes on alone"
            return TransportError(message, retriable=False)
        reason = self._refused or self._reasons.last or told(error, self._id)
        return TransportError(f"replaying: {reason}", retriable=error.retriable())
