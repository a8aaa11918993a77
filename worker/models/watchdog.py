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
from typing import Protocol

LOOK_S = 0.05
HOPELESS = 3.0
"""A run that still goes on after so many times its limit will not end."""
HOPELESS_LEAST_S = 3.0
"""On a machine that others use, a run of microseconds was seen to take 0.2 s, for want of a CPU."""

limit_s: ContextVar[float | None] = ContextVar("limit_s", default=None)
"""How long one run may take; None is for ever. A thread made by asyncio inherits it."""


class Terminable(Protocol):
    """What stops a run: ``onnxruntime.RunOptions``."""

    terminate: bool


class Watchdog:
    """Watches runs of any thread; a run costs two entries in a dict.

    Attributes:
        hopeless: called with the seconds that a run goes on for, once, when nothing ends it.
    """

    def __init__(self) -> None:
        self.hopeless: Callable[[float], None] | None = None
        self._runs: dict[int, tuple[Terminable, float, float]] = {}
        self._begun = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def watched(self, options: Terminable, seconds: float) -> Iterator[None]:
        """Sets ``options.terminate`` if what is inside takes longer."""
        if self._thread is None:
            self._begin()
        self._runs[id(options)] = (options, time.perf_counter(), seconds)
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
        while True:
            time.sleep(LOOK_S)
            for options, start_s, seconds in list(self._runs.values()):
                took_s = time.perf_counter() - start_s
                if took_s > seconds:
                    options.terminate = True
                if took_s > hopeless_s(seconds) and self.hopeless is not None:
                    told, self.hopeless = self.hopeless, None
                    told(took_s)


def hopeless_s(seconds: float) -> float:
    """After which a run with that limit will not end any more."""
    return max(HOPELESS * seconds, HOPELESS_LEAST_S)


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
