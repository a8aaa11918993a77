"""The long run: one worker at an even rate, sampled every few seconds."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
from confluent_kafka import Consumer, KafkaException, TopicPartition

from bench import topics, workloads
from bench.report import machine
from bench.soak.course import Course, Minute, Sample
from bench.soak.events import POISON_EVERY, visits
from bench.soak.look import Watched
from bench.soak.sender import Sender
from bench.soak.witness import Witness
from bench.topics import DEAD, EVENTS, SCORED, Reader, client

SAMPLE_S = 5.0
WINDOW_S = 60.0
DRAIN_TIMEOUT_S = 120.0
FORGETFUL = {"segment.ms": "60000", "retention.ms": "600000"}
"""Topics hold some ten minutes, so that a day of events does not fill the disk."""


def course(
    brokers: str, about: str, folder: Path, minutes: int, rate: int, say: Callable[[str], None]
) -> Course:
    """Runs a worker for so long.

    Args:
        brokers: a Kafka, on which the topics of the benchmark are made anew.
        about: what results say of that Kafka.
        folder: takes the graph and the worker's log.
        minutes: how long events are sent.
        rate: events per second.
        say: is told how it goes, every few seconds.

    Raises:
        RuntimeError: the worker ended, or did not start.
    """
    topics.renew(brokers, [SCORED, DEAD], settings=FORGETFUL)
    where, events = machine(), 60 * minutes * rate
    load, group = visits(), f"soak-{time.time_ns()}"
    sender = Sender(brokers, load, rate, events)
    graph = workloads.insurance(folder).graph
    watched = Watched(brokers, folder, [str(graph), "--group", group])
    with Witness(brokers, load, events, sender.due_s) as witness, Reader(brokers) as reader:
        with watched:
            watched.wait_ready()
            sender.start()
            found = _Found(brokers, group, watched, sender, witness, reader)
            for sample in found.follow():
                say(f"{sample.at_s / 60:.1f} of {minutes} min, {_words(sample, found.minutes)}")
            told = watched.told()
        code = watched.subject.exit_code
        counts = witness.counts(sender.sent)
    if witness.failure is not None:
        raise RuntimeError(f"the witness saw something else: {witness.failure}")
    setup = {
        "kafka": about,
        "worker": "one process, graph car-insurance, 4 partitions, at least once",
        "events": f"{rate} per second, one in {POISON_EVERY} cut off",
    }
    return Course(
        where, setup, rate, sender.sent, sender.refused, counts, told, code,
        found.samples, found.minutes,
    )  # fmt: skip


class _Found:
    """What is collected while the events flow."""

    def __init__(
        self,
        brokers: str,
        group: str,
        watched: Watched,
        sender: Sender,
        witness: Witness,
        reader: Reader,
    ) -> None:
        self._watched, self._sender, self._witness = watched, sender, witness
        self._reader = reader
        self._group = Consumer({**client(brokers), "group.id": group})
        self.samples: list[Sample] = []
        self.minutes: list[Minute] = []

    def follow(self) -> Iterator[Sample]:
        """Samples until every event has an outcome and its offset is committed."""
        deadline_s = None
        while True:
            time.sleep(SAMPLE_S)
            # A busy machine may answer late; that the worker has ended is a RuntimeError.
            with contextlib.suppress(OSError, KafkaException):
                yield self._sample()
            if self._witness.failure is not None:
                return
            if self._sender.is_alive():
                continue
            deadline_s = deadline_s or time.monotonic() + DRAIN_TIMEOUT_S
            done = not self.samples[-1].lag and not self._witness.missing(self._sender.sent)
            if done or time.monotonic() > deadline_s:
                self._close_minute()
                return

    def _sample(self) -> Sample:
        at_s = time.perf_counter() - self._sender.start_s
        if at_s >= WINDOW_S * (len(self.minutes) + 1):
            self._close_minute()
        held, told = self._watched.look(), self._watched.told()
        lag, sent, seen = self._lag(), self._sender.sent, self._witness.seen
        rest = {"lag": lag, "sent": sent, "seen": seen, "load": os.getloadavg()[0]}
        sample = Sample(at_s=at_s, **asdict(held), **asdict(told), **rest)
        self.samples.append(sample)
        return sample

    def _close_minute(self) -> None:
        times_ms = self._witness.window()
        if times_ms:
            p50, p99, most = np.percentile(times_ms, [50, 99, 100]).tolist()
            self.minutes.append(Minute(len(self.minutes), len(times_ms), p50, p99, most))

    def _lag(self) -> int:
        asked = [TopicPartition(EVENTS, number) for number in range(topics.PARTITIONS)]
        committed = self._group.committed(asked, topics.TIMEOUT_S)
        return self._reader.length(EVENTS) - sum(max(one.offset, 0) for one in committed)


def _words(sample: Sample, minutes: list[Minute]) -> str:
    held = f"{sample.rss_mb:.1f} MB, {sample.files} files, {sample.threads} threads"
    pace = f", p50 {minutes[-1].p50_ms:.1f} p99 {minutes[-1].p99_ms:.0f} ms" if minutes else ""
    return f"{held}, lag {sample.lag}, {sample.sent:,} in, {sample.seen:,} out{pace}"
