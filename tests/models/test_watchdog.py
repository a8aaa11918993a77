"""The watchdog: what takes too long is ended, and nothing else."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.kafka.waiting import until
from worker.errors import ModelTimeoutError
from worker.models import watchdog
from worker.models.session import Session
from worker.models.watchdog import HOPELESS, Watchdog, limited

ENDLESS = Path(__file__).parents[1] / "data" / "endless.onnx"
LIMIT_S = 0.3
HARMLESS, HOSTILE = 1.0, 2_000.0


@dataclass
class Run:
    """A run that does not look at what it is told."""

    terminate: bool = False


@pytest.fixture(scope="module")
def session() -> Session:
    """A model that never returns for a feature above 1,000."""
    return Session(ENDLESS, "endless.onnx")


def run(session: Session, value: float) -> float:
    """One run on two rows of a value."""
    return float(session.run({"X": np.full((2, 1), value, dtype=np.float32)}, ["Y"])[0][0, 0])


def test_a_run_that_never_returns_is_ended(session: Session) -> None:
    """Soon after its limit, by an error that names model and limit; the next one runs."""
    start_s = time.perf_counter()
    with (
        limited(LIMIT_S),
        pytest.raises(ModelTimeoutError, match=r"'endless\.onnx' took longer than 0\.3 s"),
    ):
        run(session, HOSTILE)
    assert LIMIT_S <= time.perf_counter() - start_s < LIMIT_S + 5.0
    with limited(LIMIT_S):
        assert run(session, HARMLESS) == HARMLESS


def test_runs_of_other_threads_go_on(session: Session) -> None:
    """Each run has a limit of its own, also in the same session at the same time."""

    def both(value: float) -> float | None:
        try:
            with limited(LIMIT_S if value == HOSTILE else 60.0):
                return run(session, value)
        except ModelTimeoutError:
            return None

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(both, [HOSTILE, HARMLESS, HOSTILE, HARMLESS]))
    assert found == [None, HARMLESS, None, HARMLESS]


def test_what_nothing_ends_is_told_once() -> None:
    """A kernel that never returns hears nothing; whoever is responsible does."""
    watchdog, told, release = Watchdog(0.0), [], threading.Event()
    watchdog.hopeless = told.append
    stuck, quick = Run(), Run()
    with watchdog.watched(quick, 60.0), watchdog.watched(stuck, 0.05):
        until(lambda: told)
        release.wait(0.2)
    assert (stuck.terminate, quick.terminate) == (True, False)
    assert len(told) == 1
    assert told[0] > HOPELESS * 0.05


def test_a_short_limit_leaves_time_to_end() -> None:
    """A run that ends a while after it was told, and long after its limit, is not given up."""
    watchdog, told, release = Watchdog(60.0), [], threading.Event()
    watchdog.hopeless = told.append
    slow = Run()
    with watchdog.watched(slow, 0.01):
        until(lambda: slow.terminate)
        release.wait(0.3)
    assert told == []


class Clock:
    """Time that passes only while this thread sleeps; other watchdogs go by the real one."""

    def __init__(self, *naps_s: float) -> None:
        self.now_s, self._naps_s = 0.0, list(naps_s)
        self._thread = threading.current_thread()

    def perf_counter(self) -> float:
        """Now."""
        return self.now_s if self._is_here() else time.perf_counter()

    def sleep(self, seconds: float) -> None:
        """For the next of the naps, which may be longer than was asked for."""
        if not self._is_here():
            time.sleep(seconds)
            return
        if not self._naps_s:
            raise StopAsyncIteration
        self.now_s += self._naps_s.pop(0)

    def _is_here(self) -> bool:
        return threading.current_thread() is self._thread


@pytest.mark.parametrize(
    ("naps_s", "ended"), [([0.05, 60.0, 0.05], False), ([0.05] * 50, True)], ids=["still", "slow"]
)
def test_a_process_that_stood_still_ends_no_run(
    monkeypatch: pytest.MonkeyPatch, naps_s: list[float], ended: bool
) -> None:
    """Under SIGSTOP, or on a machine that was paused, no model takes long."""
    monkeypatch.setattr(watchdog, "time", Clock(*naps_s))
    told: list[float] = []
    dog, run = Watchdog(grace_s=2.4), Run()
    dog.hopeless, dog._thread = told.append, threading.current_thread()
    with dog.watched(run, 0.5), pytest.raises(StopAsyncIteration):
        dog._watch()
    assert (run.terminate, len(told)) == (ended, ended)
