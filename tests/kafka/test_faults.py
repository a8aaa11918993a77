"""The short form of the fault suite; its kills and zombies are test_kill and test_exactly_once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from faults import checker
from faults.sabotage import WAYS
from faults.stage import Stage


@pytest.fixture
def stage(kafka: str, tmp_path: Path) -> Stage:
    """The quick form, on the Kafka that the tests share."""
    return Stage(kafka, tmp_path, seed=6, quick=True, say=print)


def test_every_sabotaged_worker_is_caught(stage: Stage) -> None:
    """Each by the counter of its kind, and an honest worker is not accused."""
    (found,) = checker.run(stage)
    print(found.figure)
    assert f"caught {len(WAYS)}/{len(WAYS)}" in found.figure
    assert "accused: 0/1" in found.figure
    assert found.passed


def test_a_checker_that_sees_nothing_fails(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a sabotage does no harm, it is not caught, and the row is missed."""
    monkeypatch.setattr(checker, "WAYS", {"": next(iter(WAYS.values()))})
    monkeypatch.setattr(checker, "_outcome", _nothing_wrong(checker._outcome))
    (found,) = checker.run(stage)
    assert not found.passed


def _nothing_wrong(outcome: Callable[..., object]) -> Callable[..., object]:
    """The verdict of the honest worker, whoever is judged."""
    return lambda stage, sent, *_: outcome(stage, sent, "", None)
