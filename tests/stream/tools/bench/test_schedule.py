"""An open loop: events at their time, whatever comes back."""

from __future__ import annotations

import threading
import time

import numpy as np

from worker.stream.tools.bench.schedule import late_ms, on_schedule


def test_none_is_sent_before_it_is_due() -> None:
    """Each once and in order; a stall is made up for, as the schedule does not wait."""
    sent_s: list[float] = []

    def send(i: int) -> None:
        assert i == len(sent_s)
        sent_s.append(time.perf_counter())
        if i == 3:
            time.sleep(0.03)  # what stalls

    start_s = time.perf_counter() + 0.01
    on_schedule(send, 20, start_s, 1_000)
    late = late_ms(np.array(sent_s), start_s, 1_000)
    assert len(late) == 20
    assert late.min() >= 0
    assert late[4] >= 29  # due 1 ms later, and felt as that


def test_it_ends_when_it_is_told() -> None:
    """Also where it is so late that it never waits."""
    stop, sent = threading.Event(), list[int]()

    def send(i: int) -> None:
        sent.append(i)
        if i == 2:
            stop.set()

    on_schedule(send, 1_000_000, time.perf_counter() - 1e6, 1_000, stop)
    assert sent == [0, 1, 2]
