"""A process under watch: its processor time between two moments, and the most memory it had."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from types import TracebackType

import numpy as np

from worker.stream.tools.bench.use import Use

EVERY_S = 0.1


class Watch:
    """Looks at a process again and again, in a thread; leaving the context ends that.

    Attributes:
        rss_bytes: memory at the last look.
        peak_rss_bytes: the most that was seen; 0 where nothing was.
    """

    def __init__(self, look: Callable[[], Use | None], every_s: float = EVERY_S) -> None:
        """``look`` tells what the process has used; None where it cannot be known."""
        self.rss_bytes = self.peak_rss_bytes = 0
        self._look, self._every_s = look, every_s
        self._times_s: list[float] = []
        self._cpu_s: list[float] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def cpu_s(self, start_s: float, end_s: float) -> float:
        """CPU seconds between two moments of the epoch, between looks interpolated.

        NaN where nothing was seen.
        """
        if not self._times_s:
            return math.nan
        first, last = np.interp([start_s, end_s], self._times_s, self._cpu_s)
        return float(last - first)

    def _run(self) -> None:
        while not self._over.is_set():
            self._note()
            self._over.wait(self._every_s)
        self._note()

    def _note(self) -> None:
        now_s, use = time.time(), self._look()
        if use is None:
            return
        self._times_s.append(now_s)
        self._cpu_s.append(use.cpu_s)
        self.rss_bytes = use.rss_bytes
        self.peak_rss_bytes = max(self.peak_rss_bytes, use.rss_bytes)
