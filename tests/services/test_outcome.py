"""How the answers of the workers are read."""

from __future__ import annotations

import pytest

from tests.services.support import Memory, presence, record, run, service, status
from worker.services.outcome import Outcome, next_ms, now_ms, outcome_of, settled
from worker.services.records import Presence, Service, Status


def journal(*found: Service | Presence | Status) -> Memory:
    """One that has read these."""
    memory = Memory()
    for one in found:
        state = memory.registry if isinstance(one, Service) else memory.statuses
        state.apply(*record(one))
    return memory


def here(*workers: str) -> list[Presence]:
    """Workers that are there now."""
    return [presence(worker, now_ms()) for worker in workers]


def outcome(*found: Service | Presence | Status) -> Outcome:
    """Of the service ``fraud``."""
    return run(settled(journal(service("fraud"), *found), "fraud", wait_s=0.01))


def test_all_workers_have_to_serve_it() -> None:
    """Served by one of two is not reached."""
    one = status("fraud", "a")
    assert not outcome(*here("a", "b"), one).reached
    assert outcome(*here("a", "b"), one, status("fraud", "b")).reached


@pytest.mark.parametrize(
    ("said", "reached", "problem"),
    [
        (status("fraud", "a"), True, ""),
        (status("fraud", "a", "loading"), False, "not all workers"),
        (status("fraud", "a", "paused"), False, "not all workers"),
        (status("fraud", "a", "failed", reason="no model"), False, "a: no model"),
        (status("fraud", "a", "tripped", reason="all broke"), False, "a: all broke"),
        (status("fraud", "a", updated_ms=0), False, "not all workers"),
    ],
)
def test_what_one_worker_says(said: Status, reached: bool, problem: str) -> None:
    """Only that it serves the change that was made is reached; a failure says why."""
    found = outcome(*here("a"), said)
    assert found.reached == reached
    assert problem in found.problem


def test_a_location_without_workers() -> None:
    """It is registered, not reached, and nobody is waited for."""
    found = outcome(presence("gone", 0))
    assert (found.reached, found.workers) == (False, [])
    told = "registered, but no worker serves location 'edge'; start one: rtml run --location edge"
    assert found.problem == told


def test_a_failure_is_told_without_waiting_for_the_others() -> None:
    """One worker that says why it cannot is an answer."""
    memory = journal(service("fraud"), *here("a", "b"), status("fraud", "b", "failed", reason="x"))
    assert run(settled(memory, "fraud", wait_s=60)).problem == "b: x"


def test_a_paused_service_has_to_be_paused() -> None:
    """What is wanted of it decides what has to be said."""
    paused = service("fraud", wanted="paused")
    found = outcome_of(journal(paused, *here("a"), status("fraud", "a", "paused")), "fraud")
    assert found.reached


def test_where_it_is_scored() -> None:
    """At a worker that serves some version of it; nowhere without one."""
    old = status("fraud", "b", "failed", serving=1)
    found = outcome_of(journal(service("fraud"), *here("a", "b"), old), "fraud")
    assert found.url == "http://b/services/fraud/score"
    assert outcome_of(journal(service("fraud"), *here("a")), "fraud").url == ""


def test_moments_of_changes_differ() -> None:
    """Also where the clock has gone back since the latest change."""
    ahead = service("fraud", updated_ms=now_ms() + 60_000)
    assert next_ms(ahead) == ahead.updated_ms + 1
    assert next_ms(service("fraud")) >= now_ms() - 1_000
