"""The load: seeded events of a payment service, keyed and traced, about 165 bytes of JSON each."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from confluent_kafka import Message, Producer

from bench.topics import Reader, client

COLUMNS = 10
COUNTRIES = ("de", "at", "ch", "fr", "it", "nl", "pl", "cz")
CHANNELS = ("web", "app", "pos")
KEYS = 50_000
BAD_EVERY = 20_000
"""One event in so many is none that the schema allows; the worker owes a dead letter for it."""
SEED = 20_240
QUEUE_EVENTS = 500_000
FLUSH_TIMEOUT_S = 60.0

NUMBER = re.compile(rb'(?:"t-|Timestamp": ?17000)(\d{8})')
"""Where the number of an event stands in its value, in whatever way that is spaced."""

_START = '{"id":"t-%08d","country":"%s","channel":"%s",'
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
    found = NUMBER.search(message.value() or b"")
    if found is None:
        raise RuntimeError(f"no event of the load: {message.value()!r}")
    return int(found[1])


def names(columns: int) -> list[str]:
    """What the numbers of an event are called."""
    return [f"f{i}" for i in range(columns)]


@functools.lru_cache(maxsize=1)
def _numbers(events: int, columns: int) -> npt.NDArray[np.float64]:
    return np.round(np.random.default_rng(SEED).normal(size=(events, columns)), 3)


def features(events: int, columns: int = COLUMNS) -> Features:
    """``(events, columns)``: the numbers of each event, rounded as a model's input is."""
    return _numbers(events, columns).astype(np.float32)


def make(events: int, columns: int = COLUMNS, padding: int = 0, faulty: bool = True) -> list[Event]:
    """The first ``events`` events, always the same ones.

    Args:
        events: how many.
        columns: how many numbers each has.
        padding: characters of a text that nobody reads; none without it.
        faulty: some of them are bad.
    """
    rng = np.random.default_rng(SEED + 1)
    countries = rng.integers(len(COUNTRIES), size=events).tolist()
    channels = rng.integers(len(CHANNELS), size=events).tolist()
    template = _START + ",".join(f'"{name}":%.3f' for name in names(columns))
    template += f',"note":"{"x" * padding}"' if padding else ""
    values = []
    for i, numbers in enumerate(_numbers(events, columns).tolist()):
        text = template % (i, COUNTRIES[countries[i]], CHANNELS[channels[i]], *numbers)
        end = _BAD[i // BAD_EVERY % len(_BAD)] if faulty and is_bad(i) else "}"
        values.append((text + end).encode())
    return keyed(values)


def keyed(values: Sequence[bytes]) -> list[Event]:
    """An event for each value, with a key and a trace of its own."""
    rng = np.random.default_rng(SEED + 2)
    keys = rng.integers(KEYS, size=len(values)).tolist()
    traces = rng.bytes(24 * len(values)).hex()
    made = []
    for i, value in enumerate(values):
        trace = traces[48 * i : 48 * i + 48]
        header = f"00-{trace[:32]}-{trace[32:]}-01".encode()
        made.append(Event(i, b"customer-%05d" % keys[i], value, [("traceparent", header)]))
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
