"""delete_from_edge gives True or False; why it is False is printed."""

from __future__ import annotations

import pytest

from tests.services.support import Memory, presence, record, run, service, status
from worker.authoring.telling import deleted
from worker.services.outcome import now_ms


def journal() -> Memory:
    """One with the service ``fraud``, which a worker serves."""
    memory = Memory()
    memory.registry.apply(*record(service("fraud")))
    for one in (presence("a", now_ms()), status("fraud", "a")):
        memory.statuses.apply(*record(one))
    return memory


def test_an_unknown_service_is_told_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    """The ids that are near, and nothing is deleted."""
    memory = journal()
    assert run(deleted(memory, "fruad", wait_s=0)) is False
    said = capsys.readouterr().out
    assert said == "fruad: there is no such service; did you mean 'fraud'?\n"
    assert list(memory.registry.services) == ["fraud"]


def test_a_service_that_is_not_drained_in_time_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """It is gone from the registry, and who still serves it is waited for no longer."""
    memory = journal()
    assert run(deleted(memory, "fraud", wait_s=0)) is False
    assert "service 'fraud': not all workers" in capsys.readouterr().out
    assert memory.registry.services == {}


def test_a_service_that_nobody_serves_any_more_is_gone(capsys: pytest.CaptureFixture[str]) -> None:
    """True, and nothing is said."""
    memory = journal()
    memory.statuses.apply("fraud@a", None)
    assert run(deleted(memory, "fraud", wait_s=0)) is True
    assert capsys.readouterr().out == ""
