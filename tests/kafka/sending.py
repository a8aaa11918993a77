"""The independent witness as a producer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from confluent_kafka import KafkaError, Message, Producer

TIMEOUT_S = 120.0
"""Longer than a broker is away in any test."""
Header = tuple[str, bytes | None]


@dataclass(frozen=True, slots=True)
class Record:
    """A record to be sent; without a partition its key decides, as Java's clients do it."""

    value: bytes | None
    key: bytes | None = None
    headers: list[Header] = field(default_factory=list)
    timestamp_ms: int | None = None
    partition: int | None = None


def make_producer(
    bootstrap: str, compression: str = "none", *, idempotent: bool = False
) -> Producer:
    """A producer that keeps the order.

    Args:
        bootstrap: the broker's address.
        compression: none, gzip, snappy, lz4 or zstd.
        idempotent: no duplicates even if the broker goes away meanwhile; the first record then
            takes half a second more.
    """
    return Producer(
        {
            "bootstrap.servers": bootstrap,
            "acks": "all",
            "enable.idempotence": idempotent,
            # Keeps the order also without idempotence.
            "max.in.flight.requests.per.connection": 1,
            "compression.type": compression,
            "partitioner": "murmur2_random",
            "linger.ms": 5,
            "message.max.bytes": 100_000_000,
            "log_level": 2,  # that a broker is away is what some tests are about
            "queue.buffering.max.messages": 1_000_000,
        }
    )


def send(producer: Producer, topic: str, records: Iterable[Record]) -> list[tuple[int, int]]:
    """Send the records in their order and wait until Kafka has acknowledged each.

    Returns:
        For each record, in the order given, its partition and offset.
    """
    places: dict[int, tuple[int, int]] = {}
    errors: list[KafkaError] = []

    def delivered(index: int, error: KafkaError | None, message: Message) -> None:
        partition, offset = message.partition(), message.offset()
        if error:
            errors.append(error)
        elif partition is not None and offset is not None:
            places[index] = (partition, offset)

    given = list(records)
    for index, record in enumerate(given):
        producer.produce(
            topic,
            record.value,
            record.key,
            headers=[*record.headers],
            # librdkafka's own words for now and for the key's partition.
            timestamp=record.timestamp_ms or 0,
            partition=-1 if record.partition is None else record.partition,
            on_delivery=partial(delivered, index),
        )
        producer.poll(0)
    producer.flush(TIMEOUT_S)
    assert not errors, f"{len(errors)} records refused, the first: {errors[0]}"
    assert len(places) == len(given), f"{len(places)} of {len(given)} records acknowledged"
    return [places[index] for index in range(len(given))]


def produce(
    bootstrap: str,
    topic: str,
    records: Iterable[Record],
    compression: str = "none",
    *,
    idempotent: bool = False,
) -> list[tuple[int, int]]:
    """Send the records with a producer of their own; see `make_producer` and `send`."""
    return send(make_producer(bootstrap, compression, idempotent=idempotent), topic, records)
