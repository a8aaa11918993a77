"""Throughput: one process on a waiting load, timed by the broker's own append times."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.subject import Subject
from bench.topics import EVENTS, Reader

WARM_UP = 0.1
"""The first tenth of the output is not timed, by default."""
RUN_TIMEOUT_S = 90.0
POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Throughput:
    """One run of one process.

    Attributes:
        events_per_s: records of the output per second, after the warm-up.
        cpu_us_per_event: of the process and its children, in the same span.
        peak_rss_mb: of the process and its children, in 10^6 bytes.
    """

    events_per_s: float
    cpu_us_per_event: float
    peak_rss_mb: float


def run(
    brokers: str,
    command: Sequence[str],
    log: Path,
    events: int,
    outputs: Sequence[str],
    group: str | None = None,
) -> Subject:
    """Runs a process until every event of the load has come out; the process, which is over.

    Args:
        brokers: where the load waits.
        command: starts the process.
        log: takes what it prints.
        events: how many records the load has.
        outputs: the topics in which together as many must appear.
        group: of a process with transactions, whose markers take offsets of the outputs: there
            the offsets that it committed count.

    Raises:
        RuntimeError: the process ended, or not as many records came out.
    """
    with Reader(brokers, group) as reader:

        def count() -> int:
            return reader.length(*outputs) if group is None else reader.committed(EVENTS)

        with Subject(command, log) as subject:
            deadline_s = time.monotonic() + RUN_TIMEOUT_S
            while (found := count()) < events:
                subject.check()
                if time.monotonic() > deadline_s:
                    raise RuntimeError(f"{found} of {events} events after {RUN_TIMEOUT_S:.0f} s")
                time.sleep(POLL_S)
        if (found := count()) != events:
            raise RuntimeError(f"{found} records came out of {events} events")
    return subject


def throughput(
    stamps_ms: npt.NDArray[np.int64], subject: Subject, warm_up: float = WARM_UP
) -> Throughput:
    """Of a process that is over.

    Args:
        stamps_ms: ``(n,)``, when the broker appended each record of the output.
        subject: the process.
        warm_up: the part of the output that is not timed.
    """
    stamps_ms = np.sort(stamps_ms)
    start_ms, end_ms = stamps_ms[int(len(stamps_ms) * warm_up)], stamps_ms[-1]
    timed = int((stamps_ms > start_ms).sum())
    seconds = float(end_ms - start_ms) / 1_000
    cpu_s = subject.cpu_s(start_ms / 1_000, end_ms / 1_000)
    return Throughput(timed / seconds, 1e6 * cpu_s / timed, subject.peak_rss_bytes / 1e6)
