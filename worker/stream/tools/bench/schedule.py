"""Open loop: events are due at a fixed rate, whatever comes back, and timed from when they are due.

A stall is therefore felt by every event that was due in it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt


def on_schedule(
    send: Callable[[int], object],
    n: int,
    start_s: float,
    rate: float,
    stopped: threading.Event | None = None,
) -> None:
    """Calls ``send(i)`` for each i below n when it is due, at once where that is over.

    Args:
        send: sends one event.
        n: how many.
        start_s: when the first is due, on the performance counter.
        rate: events per second.
        stopped: ends it once it is set.
    """
    for i in range(n):
        while (early_s := start_s + i / rate - time.perf_counter()) > 0:
            time.sleep(early_s)
        if stopped is not None and stopped.is_set():
            return
        send(i)


def late_ms(
    arrived_s: npt.NDArray[np.float64], start_s: float, rate: float
) -> npt.NDArray[np.float64]:
    """``(n,)``: milliseconds from when each event was due to when its outcome was there."""
    due_s: npt.NDArray[np.float64] = start_s + np.arange(len(arrived_s)) / rate
    return (arrived_s - due_s) * 1_000
