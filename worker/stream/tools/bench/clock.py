"""The broker's clock beside this machine's."""

from __future__ import annotations

import time

from confluent_kafka import KafkaError, Message, Producer

from worker.errors import TransportError
from worker.settings import Settings
from worker.stream.tools.configuration import configuration, told
from worker.stream.tools.connect import LOOK_UP_S

_TRIES = 5


def ahead_s(settings: Settings, topic: str) -> float:
    """How far the broker's clock is ahead, within half of what one of a few records takes.

    Args:
        settings: whose brokers are asked.
        topic: has message.timestamp.type LogAppendTime, and gets the records.

    Raises:
        TransportError: Kafka does not take one.
    """
    producer = Producer({**configuration(settings), "linger.ms": 0})
    found = []
    for _ in range(_TRIES):
        answers: list[tuple[KafkaError | None, Message]] = []
        begun_s = time.time()
        producer.produce(topic, b"", on_delivery=lambda *one, to=answers: to.append(one))
        producer.flush(LOOK_UP_S)
        ended_s = time.time()
        if not answers:
            raise TransportError(f"'{topic}' did not take a record", retriable=True)
        error, message = answers[0]
        if error is not None:
            raise TransportError(f"a record to '{topic}': {told(error, topic)}", retriable=True)
        stamp_s = message.timestamp()[1] / 1_000
        found.append((ended_s - begun_s, stamp_s - (begun_s + ended_s) / 2))
    return min(found)[1]
