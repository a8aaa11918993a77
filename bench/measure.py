"""Runs one process on a waiting load, until everything has come out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from bench.subject import Subject
from bench.topics import EVENTS, Reader

RUN_TIMEOUT_S = 90.0
POLL_S = 0.2


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
