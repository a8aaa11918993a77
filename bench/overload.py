"""Twice what the worker can do, and then nothing: what memory and lag do, and how it recovers.

The model is heavy (500 trees), so that the load and the broker, which share the machine, stay light
beside it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from confluent_kafka import Producer
from rich.console import Console

from bench import latency, load, topics, workloads
from bench.broker import about, kafka
from bench.contenders import PRODUCT
from bench.load import Event
from bench.options import Options, Sizes
from bench.report import machine
from bench.results import keep, kept
from bench.session import Session
from bench.subject import Subject
from bench.topics import EVENTS, SCORED, Reader

FULL, QUICK = Sizes(200_000, 1, 60), Sizes(40_000, 1, 10)
TREES = 500
TIMES = 2
SAMPLE_S = 1.0
TICK_S = 0.005
RECOVERY_FACTOR = 3
"""The lag must be gone within so many times the length of the overload."""
QUEUE_EVENTS = 500_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One moment.

    Attributes:
        at_s: seconds since the overload began.
        lag: events that are in and not out.
        rss_mb: of the worker.
    """

    at_s: float
    lag: int
    rss_mb: float


@dataclass(frozen=True, slots=True)
class Overload:
    """The whole course.

    Attributes:
        capacity: events per second that the worker does when they wait for it.
        sent: events per second that it was given, over `seconds`.
        seconds: how long the overload was to last.
        samples: until the lag was gone.
    """

    machine: dict[str, str]
    setup: dict[str, str]
    capacity: float
    sent: float
    seconds: float
    samples: list[Sample]

    @property
    def growth(self) -> float:
        """Memory of the last third of the overload over that of its second third, each the most."""
        thirds = [int(3 * one.at_s / self.seconds) for one in self.samples]
        second, last = (
            max(one.rss_mb for one, third in zip(self.samples, thirds, strict=True) if third == i)
            for i in (1, 2)
        )
        return last / second

    @property
    def recovered_s(self) -> float:
        """From the end of the overload until nothing was left."""
        return self.samples[-1].at_s - self.seconds

    def show(self, console: Console) -> None:
        """Prints what happened."""
        console.print(self.text)

    @property
    def text(self) -> str:
        """The same in words."""
        most = max(one.lag for one in self.samples)
        rss = max(one.rss_mb for one in self.samples)
        if most < self.capacity:
            return f"It kept up with {self.sent:,.0f} events/s: this was no overload."
        return (
            f"Capacity {self.capacity:,.0f} events/s, sent {self.sent:,.0f} for"
            f" {self.seconds:.0f} s: lag up to {most:,} events, gone {self.recovered_s:.0f} s after"
            f" the end; memory at most {rss:.0f} MB, {self.growth:.2f} times from the second third"
            " of the overload to the last."
        )

    def write(self) -> Path:
        """Keeps it."""
        return keep("overload", asdict(self))

    @classmethod
    def read(cls) -> Overload | None:
        """What the last call found, if there was one."""
        found = kept("overload")
        if found is None:
            return None
        return cls(**{**found, "samples": [Sample(**one) for one in found["samples"]]})


def run(options: Options) -> Overload:
    """Measures the capacity, then overloads.

    Raises:
        RuntimeError: the worker ended, or never caught up.
        KafkaUnavailable: there is none.
    """
    sizes, where = options.sizes(FULL, QUICK), machine()
    workload = workloads.numbers(options.folder, "heavy", trees=TREES)
    with kafka(options.brokers) as brokers:
        session = Session(brokers, options.folder, workload, options.say)
        session.load(sizes.events)
        capacity = session.throughput(PRODUCT).events_per_s
        events = workload.events(sizes.events)
        options.say(f"{TIMES * capacity:,.0f} events/s for {sizes.seconds} s")
        with session.subject(PRODUCT) as subject, Reader(brokers) as reader:
            load.produce(brokers, EVENTS, events[:1])
            latency.wait(reader, subject, SCORED)
            sender = _Sender(brokers, events, TIMES * capacity, sizes.seconds)
            sender.start()
            samples = list(_samples(reader, subject, sender, sizes.seconds))
    rate = sender.sent / sender.took_s
    setup = {"kafka": about(options.brokers)}
    return Overload(where, setup, capacity, rate, sender.took_s, samples)


class _Sender(threading.Thread):
    """Sends at a rate for some seconds, the events over and over."""

    def __init__(self, brokers: str, events: list[Event], rate: float, seconds: float) -> None:
        super().__init__(daemon=True)
        queue = {"queue.buffering.max.messages": QUEUE_EVENTS, "linger.ms": 5, "acks": "all"}
        self._producer = Producer({**topics.client(brokers), **queue})
        self._events, self._rate, self._seconds = events, rate, seconds
        self.sent = 0
        self.took_s = 0.0

    def run(self) -> None:
        start_s = time.monotonic()
        while (now_s := time.monotonic() - start_s) < self._seconds:
            due = int(self._rate * now_s)
            while self.sent < due:
                self._send(self._events[self.sent % len(self._events)])
            self._producer.poll(TICK_S)
        self._producer.flush(topics.TIMEOUT_S)
        self.took_s = time.monotonic() - start_s

    def _send(self, event: Event) -> None:
        try:
            self._producer.produce(EVENTS, event.value, event.key, headers=event.headers)
        except BufferError:  # the broker is the slower one; the rate that was sent is told
            self._producer.poll(TICK_S)
        else:
            self.sent += 1


def _samples(reader: Reader, subject: Subject, sender: _Sender, seconds: float) -> Iterator[Sample]:
    start_s = time.monotonic()
    while True:
        time.sleep(SAMPLE_S)
        subject.check()
        done = not sender.is_alive()
        lag = reader.length(EVENTS) - reader.length(SCORED)
        at_s = time.monotonic() - start_s
        yield Sample(at_s, lag, subject.watch.rss_bytes / 1e6)
        if done and lag <= 0:
            break
        if at_s > seconds * (1 + RECOVERY_FACTOR) + topics.TIMEOUT_S:
            raise RuntimeError(f"{lag:,} events are still waiting after {at_s:.0f} s")
    if lag < 0:
        raise RuntimeError(f"{-lag} events came out twice")
