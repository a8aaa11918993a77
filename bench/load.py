"""The load: seeded events of a payment service, keyed and traced, about 165 bytes of JSON each."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from confluent_kafka import Message, Producer

from bench.topics import Reader, client

FEATURES = [f"f{i}" for i in range(10)]
COUNTRIES = ("de", "at", "ch", "fr", "it", "nl", "pl", "cz")
CHANNELS = ("web", "app", "pos")
KEYS = 50_000
BAD_EVERY = 20_000
"""One event in so many is none that the schema allows; the worker owes a dead letter for it."""
SEED = 20_240
QUEUE_EVENTS = 500_000
FLUSH_TIMEOUT_S = 60.0

_ID_START = len(b'{"id":"t-')
_ID = slice(_ID_START, _ID_START + 8)
_TEMPLATE = '{"id":"t-%08d","country":"%s","channel":"%s",' + ",".join(
    f'"{name}":%.3f' for name in FEATURES
)
_BAD = ("", "}}", ',"f0":"much"}')
"""How bad events end: cut off, followed by more, of a type that the schema does not allow."""

Features = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Event:
    """One record of the source topic; ``number`` stands in its value."""

    number: int
    key: bytes
    value: bytes
    headers: list[tuple[str, str | bytes | None]]


def is_bad(number: int) -> bool:
    """Whether the event of this number cannot be decoded."""
    return number % BAD_EVERY == BAD_EVERY - 1


def number_of(message: Message) -> int:
    """The number of the event that became this record."""
    return int((message.value() or b"")[_ID])


@functools.cache
def _numbers(events: int) -> npt.NDArray[np.float64]:
    return np.round(np.random.default_rng(SEED).normal(size=(events, len(FEATURES))), 3)


def features(events: int) -> Features:
    """``(events, 10)``: the numbers of each event, rounded as a model's input is."""
    return _numbers(events).astype(np.float32)


def make(events: int) -> list[Event]:
    """The first ``events`` events, always the same ones."""
    rng = np.random.default_rng(SEED + 1)
    keys = rng.integers(KEYS, size=events).tolist()
    countries = rng.integers(len(COUNTRIES), size=events).tolist()
    channels = rng.integers(len(CHANNELS), size=events).tolist()
    traces = rng.bytes(24 * events).hex()
    made = []
    for i, numbers in enumerate(_numbers(events).tolist()):
        text = _TEMPLATE % (i, COUNTRIES[countries[i]], CHANNELS[channels[i]], *numbers)
        end = _BAD[i // BAD_EVERY % len(_BAD)] if is_bad(i) else "}"
        trace = traces[48 * i : 48 * i + 48]
        header = f"00-{trace[:32]}-{trace[32:]}-01".encode()
        key = b"customer-%05d" % keys[i]
        made.append(Event(i, key, (text + end).encode(), [("traceparent", header)]))
    return made


def produce(brokers: str, topic: str, events: list[Event]) -> None:
    """Writes the events to an empty topic; the key decides the partition.

    Raises:
        RuntimeError: not all of them arrived in time.
    """
    settings = {"linger.ms": 20, "queue.buffering.max.messages": QUEUE_EVENTS, "acks": "all"}
    producer = Producer({**client(brokers), **settings})
    for event in events:
        while True:
            try:
                producer.produce(topic, event.value, event.key, headers=event.headers)
            except BufferError:
                producer.poll(0.1)
            else:
                break
    left = producer.flush(FLUSH_TIMEOUT_S)
    with Reader(brokers) as reader:
        written = reader.length(topic)
    if left or written != len(events):
        raise RuntimeError(f"'{topic}' holds {written} events, {len(events)} were written")
