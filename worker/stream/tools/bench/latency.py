"""Latency: from when an event was due to when an independent consumer has its outcome."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from worker.errors import TransportError
from worker.settings import Settings
from worker.stream.tools.bench.account import number_of
from worker.stream.tools.bench.contender import STALL_S, Contender, Told
from worker.stream.tools.bench.schedule import late_ms, on_schedule
from worker.stream.tools.events import Event
from worker.stream.tools.read import Reader
from worker.stream.tools.send import Sender

LEAD_S = 0.5
"""From starting to follow the outcomes to when the first event is due."""
POLL_S = 0.1
STOPPED_S = 5.0
_BURST = 500


@dataclass(frozen=True, slots=True)
class Pace:
    """What is sent.

    Attributes:
        rate: events per second.
        warm_up_s: how long events are not timed.
        seconds: how long they are, after that.
    """

    rate: int
    warm_up_s: int
    seconds: int

    @property
    def events(self) -> int:
        """How many in all: one more is sent before, to see that the process is awake."""
        return 1 + self.rate * (self.warm_up_s + self.seconds)


@dataclass(frozen=True, slots=True)
class Latency:
    """How long events took, from schedule to outcome.

    Attributes:
        p50_ms: the median; ``p99_ms`` and ``max_ms`` likewise.
        events: how many were timed: those that were not dropped.
    """

    p50_ms: float
    p99_ms: float
    max_ms: float
    events: int


def latency(
    settings: Settings,
    topic: str,
    contender: Contender,
    events: Iterator[Event],
    pace: Pace,
    told: Told,
) -> Latency:
    """Sends events at a fixed rate to a process that waits for them; it is to account for them.

    Args:
        settings: whose brokers are used.
        topic: of the events.
        contender: the process.
        events: as many as ``pace.events``; their numbers follow each other.
        pace: the rate, and for how long.
        told: how many outcomes there are.

    Raises:
        ChildEnded: the process ended.
        Incomplete: nothing came any more.
        TransportError: Kafka did not take an event, or cannot be read.
    """
    sender = Sender(settings, topic, linger_ms=0)
    value, key = next(events)
    sender.send(value, key)
    sender.finish()
    contender.finish(lambda _: None)
    contender.collect()
    n, stop = pace.events - 1, threading.Event()
    arrivals = _Arrivals(int(key or b"") + 1, n)
    with contender.follow() as reader, ThreadPoolExecutor(1) as threads:
        start_s = time.perf_counter() + LEAD_S
        sending = threads.submit(_send, sender, events, n, start_s, pace.rate, stop)
        try:
            _receive(contender, reader, arrivals, sending, told)
        finally:
            stop.set()
        sending.result()
    if sender.failed:
        reason = f"{sender.failed:,} events were not taken: {sender.reason}"
        raise TransportError(reason, retriable=sender.unreachable)
    late = late_ms(arrivals.at_s, start_s, pace.rate)[pace.rate * pace.warm_up_s :]
    late = late[~np.isnan(late)]
    if not len(late):
        return Latency(math.nan, math.nan, math.nan, 0)
    p50_ms, p99_ms, max_ms = np.percentile(late, [50, 99, 100]).tolist()
    return Latency(p50_ms, p99_ms, max_ms, len(late))


def _send(
    sender: Sender,
    events: Iterator[Event],
    n: int,
    start_s: float,
    rate: int,
    stop: threading.Event,
) -> None:
    """In a thread of its own: all of them, until Kafka has acknowledged each."""
    on_schedule(lambda _: sender.send(*next(events)), n, start_s, rate, stop)
    sender.finish(STOPPED_S if stop.is_set() else math.inf)


class _Arrivals:
    """When the first outcome of each event was read; NaN where there is none (yet)."""

    def __init__(self, first: int, n: int) -> None:
        self.at_s: npt.NDArray[np.float64] = np.full(n, np.nan)
        self.left, self._first = n, first

    def note(self, number: int, now_s: float) -> None:
        place = number - self._first
        if np.isnan(self.at_s[place]):
            self.at_s[place] = now_s
            self.left -= 1


def _receive(
    contender: Contender, reader: Reader, arrivals: _Arrivals, sending: Future[None], told: Told
) -> None:
    """Until every event has its outcome, and those that are no records are through as well."""
    since_s, wanted = time.monotonic(), 0
    while arrivals.left:
        records = reader.take(_BURST, POLL_S)
        now_s = time.perf_counter()
        for record in records:
            arrivals.note(number_of(record), now_s)
        if records:
            contender.account.note(records)
            told(len(arrivals.at_s) - arrivals.left)
            since_s = time.monotonic()
            continue
        contender.process.check()
        if not sending.done():
            since_s = time.monotonic()
            continue
        wanted = wanted or contender.waiting_for()
        if contender.through() >= wanted:
            ends = contender.ends()
            if all(reader.reached[place] >= end for place, end in ends.items()):
                return  # the others were dropped
        if time.monotonic() - since_s > STALL_S:
            raise contender.incomplete(f"{arrivals.left:,} events did not come out")
