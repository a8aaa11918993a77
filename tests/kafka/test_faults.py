"""The short form of the fault suite; its kills and zombies are test_kill and test_exactly_once."""

from __future__ import annotations

from pathlib import Path

from faults import checker
from faults.stage import Stage


def test_every_sabotaged_worker_is_caught(kafka: str, tmp_path: Path) -> None:
    """Each by the counter of its kind, and an honest worker is not accused."""
    (found,) = checker.run(Stage(kafka, tmp_path, seed=6, quick=True, say=print))
    print(found.figure)
    assert found.passed
