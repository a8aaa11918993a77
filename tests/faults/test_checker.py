"""What the checker's own row makes of verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from faults import checker
from faults.finding import Finding
from faults.sabotage import WAYS
from faults.stage import Stage
from tests.kafka.verdict import Verdict

N = 10
CLEAN, BROKEN = Verdict(N, 0, 0, 0, 0), Verdict(N, 1, 1, 1, 1)


def told(monkeypatch: pytest.MonkeyPatch, honest: Verdict, sabotaged: Verdict) -> Finding:
    """The row's finding where all sabotaged workers have one verdict."""

    def outcome(_: Stage, __: Any, name: str, ___: Any) -> Verdict:
        return sabotaged if name else honest

    monkeypatch.setattr(checker, "_outcome", outcome)
    (found,) = checker.run(Stage("", Path(), seed=6, quick=True, say=print))
    return found


def test_sabotage_that_is_seen_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, and nobody else: the pass line is met."""
    found = told(monkeypatch, CLEAN, BROKEN)
    assert found.figure.startswith(f"caught {len(WAYS)}/{len(WAYS)} ")
    assert found.passed


def test_a_checker_that_sees_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage that leaves every counter at 0 is not caught, and the row is missed."""
    found = told(monkeypatch, CLEAN, CLEAN)
    assert found.figure.startswith(f"caught 0/{len(WAYS)} ")
    assert not found.passed


def test_a_checker_that_accuses_everybody_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """An honest worker that is found guilty makes the row missed."""
    found = told(monkeypatch, BROKEN, BROKEN)
    assert found.figure.endswith("accused: 1/1")
    assert not found.passed
