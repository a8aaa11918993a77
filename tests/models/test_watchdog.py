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
from worker.models import watchdog as module
from worker.models.session import Session
from worker.models.watchdog import HOPELESS, HOPELESS_LEAST_S, Watchdog, hopeless_s, limited

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


@pytest.mark.parametrize(
    ("limit_s", "expected_s"),
    [(0.05, HOPELESS_LEAST_S), (5.0, HOPELESS * 5.0)],
    ids=["a moment", "long"],
)
def test_a_run_is_not_given_up_for_a_pause_of_the_machine(
    limit_s: float, expected_s: float
) -> None:
    """Where the limit is a moment, a process that waits for a processor is beyond it as well."""
    assert hopeless_s(limit_s) == expected_s


def test_what_nothing_ends_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that never returns hears nothing; whoever is responsible does."""
    monkeypatch.setattr(module, "HOPELESS_LEAST_S", 0.0)
    watchdog, told, release = Watchdog(), [], threading.Event()
    watchdog.hopeless = told.append
    stuck, quick = Run(), Run()
    with watchdog.watched(quick, 60.0), watchdog.watched(stuck, 0.05):
        until(lambda: told)
        release.wait(0.2)
    assert (stuck.terminate, quick.terminate) == (True, False)
    assert len(told) == 1
    assert told[0] > HOPELESS * 0.05
