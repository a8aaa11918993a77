"""Latency: from when an event was due to when an independent consumer has its outcome."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psutil
from confluent_kafka import KafkaException, Producer

from bench import load
from bench.subject import Subject
from bench.topics import EVENTS, Reader, client
from worker.stream.tools.bench.schedule import late_ms, on_schedule

RATE = 1_000
WARM_UP_S = 5
START_TIMEOUT_S = 60.0
GRACE_S = 10.0
POLL_S = 0.1
SAMPLE_S = 5.0
"""Looking at processes takes time from what is measured, and latency needs no CPU figures."""


@dataclass(frozen=True, slots=True)
class Latency:
    """How long events took, from schedule to outcome.

    Attributes:
        p50_ms: the median; ``p99_ms`` and ``max_ms`` likewise.
        events: how many were timed; none is missing.
        idle: the share of all cores' time in which nothing ran, and ``stolen`` the share that the
            host gave to other machines: where the first nears zero, latency tells of the machine.
    """

    p50_ms: float
    p99_ms: float
    max_ms: float
    events: int
    idle: float
    stolen: float


def run(
    brokers: str, command: Sequence[str], log: Path, output: str, seconds: int, rate: int = RATE
) -> Latency:
    """Sends events at a fixed rate through a process that is warm and idle.

    Args:
        brokers: where the topics of the benchmark are, empty.
        command: starts the process.
        log: takes what it prints.
        output: the topic whose records are the outcomes.
        seconds: how long to measure, after `WARM_UP_S`.
        rate: events per second.

    Raises:
        RuntimeError: the process ended, or events did not come out in time.
    """
    wanted = 1 + rate * (WARM_UP_S + seconds)
    made = load.make(wanted + wanted // load.BAD_EVERY + 1)
    events = [event for event in made if not load.is_bad(event.number)]
    first, due = events[0], events[1:wanted]
    producer = Producer({**client(brokers), "linger.ms": 0, "acks": "all"})
    with Reader(brokers) as reader, Subject(command, log, SAMPLE_S) as subject:
        _send(producer, first)
        wait(reader, subject, output)
        reader.follow(output)
        start_s = time.perf_counter() + POLL_S
        sender = threading.Thread(
            target=on_schedule,
            args=(lambda i: _send(producer, due[i]), len(due), start_s, rate),
            daemon=True,
        )
        sender.start()
        before = psutil.cpu_times()
        arrived_s = _receive(reader, due, start_s + len(due) / rate + GRACE_S)
        after = psutil.cpu_times()
        sender.join()
        producer.flush(GRACE_S)
    took_ms = late_ms(arrived_s, start_s, rate)[rate * WARM_UP_S :]
    p50, p99 = np.percentile(took_ms, [50, 99]).tolist()
    cores_s = sum(after) - sum(before)
    # Linux alone tells of stolen time.
    stolen_s = getattr(after, "steal", 0.0) - getattr(before, "steal", 0.0)
    shares = ((after.idle - before.idle) / cores_s, stolen_s / cores_s)
    return Latency(p50, p99, float(took_ms.max()), len(took_ms), *shares)


def wait(reader: Reader, subject: Subject, output: str) -> None:
    """Returns once the first event has come out."""
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while not reader.length(output):
        subject.check()
        if time.monotonic() > deadline_s:
            raise RuntimeError(f"no event came out within {START_TIMEOUT_S:.0f} s")
        time.sleep(POLL_S)


def _send(producer: Producer, event: load.Event) -> None:
    producer.produce(EVENTS, event.value, event.key, headers=event.headers)
    producer.poll(0)


def _receive(
    reader: Reader, events: list[load.Event], deadline_s: float
) -> npt.NDArray[np.float64]:
    """When each event's outcome was read; ``poll``, as ``consume`` would wait to fill a batch."""
    places = {event.number: place for place, event in enumerate(events)}
    arrived_s = np.full(len(events), np.nan)
    left = len(events)
    while left and time.perf_counter() < deadline_s:
        message = reader.consumer.poll(POLL_S)
        if message is None:
            continue
        now_s = time.perf_counter()
        error = message.error()
        if error is not None:
            raise KafkaException(error)
        place = places[load.number_of(message)]
        left -= bool(np.isnan(arrived_s[place]))
        arrived_s[place] = now_s
    if left:
        raise RuntimeError(f"{left} of {len(events)} events did not come out")
    return arrived_s
