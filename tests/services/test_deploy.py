"""What changes write: any order of them, against a naive account of what there must be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from tests.services.support import Memory, presence, published, record, run, status
from worker.errors import ConfigError
from worker.graph.plan import Plan
from worker.graph.spec import GraphSpec
from worker.services import deploy
from worker.services.outcome import now_ms
from worker.services.registry import STALE_MS, Registry

GRAPHS = [published(factor) for factor in (2, 3)]


class DeployMachine(RuleBasedStateMachine):
    """Publishes, updates, rolls back, pauses, resumes and deletes services in any order."""

    services = Bundle("services")

    def __init__(self) -> None:
        super().__init__()
        self.journal = Memory()
        self.pointers: dict[str, int] = {}
        self.digests: dict[str, list[str]] = {}
        self.wanted: dict[str, str] = {}
        self.moments: dict[str, int] = {}

    @rule(target=services, made=st.sampled_from(GRAPHS))
    def publish(self, made: tuple[GraphSpec, Plan]) -> str:
        """A new service has version 1 and runs."""
        outcome = run(deploy.publish(self.journal, *made, location="edge", wait_s=0))
        self.pointers[outcome.service.id] = 1
        self.digests[outcome.service.id] = [made[0].digest]
        self.wanted[outcome.service.id] = "running"
        return outcome.service.id

    @rule(id_=services, made=st.sampled_from(GRAPHS))
    def update(self, id_: str, made: tuple[GraphSpec, Plan]) -> None:
        """The next version is the one to run."""
        run(deploy.update(self.journal, id_, *made, wait_s=0))
        self.digests[id_].append(made[0].digest)
        self.pointers[id_] = len(self.digests[id_])

    @rule(id_=services, choice=st.integers(0, 5))
    def rollback(self, id_: str, choice: int) -> None:
        """Any version that there is, by its number."""
        number = choice % len(self.digests[id_]) + 1
        run(deploy.rollback(self.journal, id_, number, wait_s=0))
        self.pointers[id_] = number

    @rule(id_=services)
    def step_back(self, id_: str) -> None:
        """The one before the present; the first has none before it."""
        if self.pointers[id_] == 1:
            with pytest.raises(ConfigError, match="has no earlier version"):
                run(deploy.rollback(self.journal, id_, None, wait_s=0))
            return
        run(deploy.rollback(self.journal, id_, None, wait_s=0))
        self.pointers[id_] -= 1

    @rule(id_=services, wanted=st.sampled_from(["running", "paused"]))
    def want(self, id_: str, wanted: Any) -> None:
        """Pause and resume."""
        run(deploy.want(self.journal, id_, wanted, wait_s=0))
        self.wanted[id_] = wanted

    @rule(id_=consumes(services))
    def delete(self, id_: str) -> None:
        """Nothing of it is left."""
        run(deploy.delete(self.journal, id_, wait_s=0))
        for account in (self.pointers, self.digests, self.wanted, self.moments):
            account.pop(id_, None)

    @invariant()
    def registry_agrees(self) -> None:
        """Each service points to a version that is there; none was changed or lost."""
        registry = self.journal.registry
        found = registry.services
        assert {id_: one.version for id_, one in found.items()} == self.pointers
        assert {id_: one.wanted for id_, one in found.items()} == self.wanted
        assert {
            id_: [known[number].digest for number in sorted(known)]
            for id_, known in registry.versions.items()
        } == self.digests
        for service in found.values():
            registry.version(service)

    @invariant()
    def moments_go_on(self) -> None:
        """By its moment a worker tells a record from the one before; it never goes back."""
        for id_, service in self.journal.registry.services.items():
            assert service.updated_ms >= self.moments.get(id_, 0)
            self.moments[id_] = service.updated_ms
        services = [one for key, one in self.journal.log if one is not None and "/" not in key]
        assert len(set(services)) == len(services)

    @invariant()
    def any_beginning_of_the_log_is_whole(self) -> None:
        """Who has read up to anywhere never sees a service whose version is not there."""
        registry = Registry()
        for key, value in self.journal.log:
            registry.apply(key, value)
            for service in registry.services.values():
                if value is not None:  # within a deletion the service goes first
                    registry.version(service)


TestDeploy = DeployMachine.TestCase
TestDeploy.settings = settings(max_examples=40, stateful_step_count=30)


def test_an_id_is_taken_once() -> None:
    """A second service of the same id is refused, and the first is as it was."""
    journal, made = Memory(), published(2)
    given: dict[str, Any] = {"location": "edge", "service_id": "fraud", "wait_s": 0}
    run(deploy.publish(journal, *made, **given))
    before = list(journal.log)
    with pytest.raises(ConfigError, match="fraud: there is a service of that id; update it"):
        run(deploy.publish(journal, *made, **given))
    assert journal.log == before


def test_names_that_cannot_be_used() -> None:
    """Id and location become parts of keys, groups and paths: both problems are told at once."""
    with pytest.raises(ConfigError) as refused:
        run(deploy.publish(Memory(), *published(2), location="a@b", service_id="x/v1", wait_s=0))
    assert [problem.path for problem in refused.value.problems] == ["--id", "--location"]


def test_a_location_decides_the_type() -> None:
    """As Real-time Machine Learning lists it: ``hub`` is one, everything else is an edge."""
    types = [
        run(deploy.publish(Memory(), *published(2), location=name, wait_s=0)).service.type
        for name in ("hub", "edge", "berlin")
    ]
    assert types == ["hub", "edge", "edge"]


def test_ids_of_services_without_one() -> None:
    """A long name gives an id that may be one, and no two are the same."""
    ids = {deploy.new_id("g" * 128) for _ in range(100)}
    assert len(ids) == 100
    assert max(map(len, ids)) <= 128


def test_an_unreadable_service_can_be_deleted() -> None:
    """Its record and those of its versions, readable or not, are taken away."""
    journal = Memory()
    outcome = run(
        deploy.publish(journal, *published(2), location="edge", service_id="fraud", wait_s=0)
    )
    assert outcome.service.id == "fraud"
    for key in ("fraud", "fraud/v7"):
        journal.registry.apply(key, b"junk")
    run(deploy.delete(journal, "fraud", wait_s=0))
    registry = journal.registry
    assert (registry.services, registry.versions, registry.unreadable) == ({}, {}, {})


def test_a_worker_that_dies_is_not_waited_for() -> None:
    """A deleted service is drained once those have let go of it that are heard of still."""

    async def deleted(wait_s: float) -> bool:
        journal = Memory()
        given: dict[str, Any] = {"location": "edge", "service_id": "fraud", "wait_s": 0}
        await deploy.publish(journal, *published(2), **given)
        for one in (presence("w", now_ms() - STALE_MS + 500), status("fraud", "w")):
            journal.statuses.apply(*record(one))
        return (await deploy.delete(journal, "fraud", wait_s=wait_s)).reached

    assert run(deleted(0)) is False
    assert run(deleted(5)) is True


@pytest.mark.parametrize("change", ["update", "rollback", "pause", "delete"])
def test_changing_what_is_not_there(change: str) -> None:
    """It is refused with the nearest id, and nothing is written."""
    journal = Memory()
    run(deploy.publish(journal, *published(2), location="edge", service_id="fraud", wait_s=0))
    before = list(journal.log)
    work = {
        "update": lambda: deploy.update(journal, "fruad", *published(3), wait_s=0),
        "rollback": lambda: deploy.rollback(journal, "fruad", 1, wait_s=0),
        "pause": lambda: deploy.want(journal, "fruad", "paused", wait_s=0),
        "delete": lambda: deploy.delete(journal, "fruad", wait_s=0),
    }
    with pytest.raises(ConfigError, match="did you mean 'fraud'"):
        run(work[change]())
    assert journal.log == before
