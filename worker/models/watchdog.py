"""Ends model runs that take too long: one thread looks at all that are under way.

ONNX Runtime looks at `terminate` between two kernels, so a loop inside a model ends, and one kernel
that never returns does not. The process cannot get such a thread back; it is told, and decides.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

LOOK_S = 0.05
STILL_S = 0.2
"""What passes between two looks beyond that is no model's time: the whole process stood still, as
under SIGSTOP, a freezer or a paused machine."""
HOPELESS = 3.0
GRACE_S = 5.0
"""A run that still goes on after so many times its limit, and so long, will not end: on a busy
machine one with a short limit takes longer to hear that it is over than to reach its limit."""

limit_s: ContextVar[float | None] = ContextVar("limit_s", default=None)
"""How long one run may take; None is for ever. A thread made by asyncio inherits it."""


class Terminable(Protocol):
    """What stops a run: ``onnxruntime.RunOptions``."""

    terminate: bool


@dataclass(slots=True)
class _Run:
    """A run that is under way; ``since_s`` on a clock that stands still where the process does."""

    options: Terminable
    since_s: float
    limit_s: float


class Watchdog:
    """Watches runs of any thread; a run costs two entries in a dict.

    Attributes:
        hopeless: called with the seconds that a run goes on for, once, when nothing ends it.
    """

    def __init__(self, grace_s: float = GRACE_S) -> None:
        self._grace_s, self._still_s = grace_s, 0.0
        self.hopeless: Callable[[float], None] | None = None
        self._runs: dict[int, _Run] = {}
        self._begun = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def watched(self, options: Terminable, seconds: float) -> Iterator[None]:
        """Sets ``options.terminate`` if what is inside takes longer."""
        if self._thread is None:
            self._begin()
        self._runs[id(options)] = _Run(options, time.perf_counter() - self._still_s, seconds)
        try:
            yield
        finally:
            del self._runs[id(options)]

    def _begin(self) -> None:
        with self._begun:
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
                self._thread.start()

    def _watch(self) -> None:
        looked_s = time.perf_counter()
        while True:
            time.sleep(LOOK_S)
            now_s = time.perf_counter()
            self._still_s += max(now_s - looked_s - STILL_S, 0.0)
            looked_s = now_s
            for run in list(self._runs.values()):
                self._look(run, now_s - self._still_s)

    def _look(self, run: _Run, now_s: float) -> None:
        run.since_s = min(run.since_s, now_s)  # it may have begun before this thread was awake
        took_s = now_s - run.since_s
        if took_s > run.limit_s:
            run.options.terminate = True
        if took_s > max(HOPELESS * run.limit_s, self._grace_s) and self.hopeless is not None:
            told, self.hopeless = self.hopeless, None
            told(took_s)


watchdog = Watchdog()
"""The process's own."""


@contextlib.contextmanager
def limited(seconds: float | None) -> Iterator[None]:
    """Every model run inside ends after so long."""
    before = limit_s.set(seconds)
    try:
        yield
    finally:
        limit_s.reset(before)
