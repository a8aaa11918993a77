"""Waiting for a condition instead of for a time."""

from __future__ import annotations

import time
from collections.abc import Callable

PAUSE_S = 0.05


def until(condition: Callable[[], object], timeout_s: float = 60.0) -> float:
    """Return once the condition holds, with the seconds that it took; a failure after the time."""
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < timeout_s, f"not so within {timeout_s:.0f} s"
        time.sleep(PAUSE_S)
    return time.monotonic() - begin
