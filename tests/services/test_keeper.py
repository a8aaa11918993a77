"""One service at one worker: what it says of itself while versions come and go."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from mode import Service as Supervisor

from tests.graph.support import graph, node, planned
from tests.services.support import Memory, published, run
from worker.codec.outcome import Outcomes
from worker.errors import ConfigError, Fault, Problem, Stage
from worker.graph.plan import Plan
from worker.models.store.store import Store
from worker.services import deploy
from worker.services.fleet import Failed, Fleet
from worker.services.keeper import Keeper, _way
from worker.services.location import Location
from worker.services.records import Status
from worker.settings import Settings
from worker.stream.meter import Meters
from worker.stream.pump import Pump
from worker.stream.terms import Terms

NAME = "fraud"


class Gates:
    """Where a service stands still, until the test has looked."""

    def __init__(self) -> None:
        self.begun, self.open = asyncio.Event(), asyncio.Event()

    async def passed(self) -> None:
        """Says that it has come here, and waits."""
        self.begun.set()
        await self.open.wait()
        self.begun.clear()
        self.open.clear()

    async def look(self, asked: Callable[[], object]) -> object:
        """What is said while the service stands still; then it goes on."""
        await self.begun.wait()
        found = asked()
        self.open.set()
        await asyncio.sleep(0)
        return found


class Unconnected(Pump):
    """A pump without Kafka, which scores by a new plan before ``swap`` is over."""

    def __init__(self, gates: Gates, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        self._gates = gates

    async def until_serving(self) -> None:
        """Once the test lets it."""
        await self._gates.passed()

    async def swap(self, plan: Plan) -> None:
        """At once, and over once the test lets it."""
        self._plan = plan
        await self._gates.passed()


class Yard(Fleet):
    """Adds pumps without Kafka, which are never started; removing one takes a moment."""

    def __init__(self, gates: Gates) -> None:
        super().__init__(Settings(), Meters(), wait_s=None, create_topics=None)
        self.gates = gates

    def add(
        self,
        service: str,
        plan: Plan,
        failed: Failed,
        turned: Callable[[], None] = lambda: None,
        *,
        alone: bool = False,
    ) -> Pump:
        """Beside the real one, so that its meter is there."""
        super().add(service, plan, failed, alone=alone)
        terms = Terms(service, Settings(), service, None, None)
        told = functools.partial(failed, service)
        pump = Unconnected(self.gates, terms, plan, self.meters[service], told, turned)
        self.pumps[service] = pump
        return pump

    async def remove(self, service: str, supervisor: Supervisor) -> None:  # noqa: ARG002 - none ran
        """Gone at once, drained once the test lets it."""
        if self.pumps.pop(service, None) is not None:
            await self.gates.passed()


class Supervising(Supervisor):
    """Starts nothing."""

    async def add_runtime_dependency(self, service: object) -> object:
        """Takes it without starting it."""
        return service


class Place:
    """A location with a journal in memory and one service that the test leads step by step."""

    def __init__(self, folder: Path) -> None:
        self.journal, self.gates = Memory(), Gates()
        self.said: asyncio.Queue[Status | None] = asyncio.Queue()
        self.fleet = Yard(self.gates)
        store = Store(str(folder / "store"), folder / "cache")

        async def tell(_: str, status: Status | None) -> None:
            self.said.put_nowait(status)

        self.location = Location(
            "edge", Settings(), self.fleet, store, lambda: "", lambda _: None, None
        )
        self.location.journal = self.journal
        self.keeper = Keeper(NAME, "w", self.journal.registry, self.fleet, store, tell)
        self.location.keepers[NAME] = self.keeper

    async def publish(self, factor: int) -> None:
        """The first version."""
        made = published(factor)
        await deploy.publish(self.journal, *made, location="edge", service_id=NAME, wait_s=0)

    async def update(self, factor: int, topic: str = "") -> None:
        """The next version, of another topic where one is given."""
        spec, plan = published(factor)
        if topic:
            source = spec.source.model_copy(update={"topic": topic})
            spec = spec.model_copy(update={"source": source})
        await deploy.update(self.journal, NAME, spec, plan, wait_s=0)
        self.keeper.look()

    def told(self) -> tuple[list[str], dict[str, int]]:
        """Why it is not ready, and the versions that HTTP names."""
        return self.location.reasons(), self.location.versions()


def led(folder: Path, work: Callable[[Place], Awaitable[None]]) -> None:
    """Runs the keeper beside a test."""

    async def run_both() -> None:
        place = Place(folder)
        await place.publish(2)
        keeping = asyncio.create_task(place.keeper.run(Supervising(), "edge"))
        try:
            async with asyncio.timeout(30):
                await work(place)
        finally:
            keeping.cancel()

    run(run_both())


async def reached(place: Place, number: int) -> None:
    """Returns once the worker says that it serves that version."""
    while True:
        said = await place.said.get()
        if said is not None and (said.state, said.serving) == ("serving", number):
            return


def test_it_is_not_ready_before_it_is_loaded(tmp_path: Path) -> None:
    """From the moment the location knows of it until its group has been joined."""

    async def work(place: Place) -> None:
        before = place.location.reasons()
        during = await place.gates.look(place.location.reasons)
        await reached(place, 1)
        assert before == ["fraud: not loaded yet"]
        assert during == ["fraud: version 1 is not loaded yet"]
        assert place.location.reasons() == []

    led(tmp_path, work)


def test_the_version_is_that_of_the_plan(tmp_path: Path) -> None:
    """While a swap goes on, the plan that scores already is called by its own number."""

    async def work(place: Place) -> None:
        await place.gates.look(place.told)
        await reached(place, 1)
        assert place.told() == ([], {NAME: 1})
        await place.update(3)
        assert await place.gates.look(place.told) == ([], {NAME: 2})
        await reached(place, 2)
        assert place.told() == ([], {NAME: 2})

    led(tmp_path, work)


def test_it_is_not_ready_between_two_pumps(tmp_path: Path) -> None:
    """Another topic: while the old pump drains and the new one joins, nothing is served."""

    async def work(place: Place) -> None:
        await place.gates.look(place.told)
        await reached(place, 1)
        await place.update(3, topic="elsewhere")
        for _ in ("drained", "joined"):
            found = await place.gates.look(place.location.reasons)
            assert found == ["fraud: version 2 is not loaded yet"]
        await reached(place, 2)
        assert place.told() == ([], {NAME: 2})

    led(tmp_path, work)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RuntimeError("no\n  more"), "no more"),
        (
            ConfigError([Problem("", "no topic 'a'"), Problem("", "none 'b'")]),
            "no topic 'a'; none 'b'",
        ),
        (ValueError(), "ValueError"),
    ],
)
def test_it_is_not_ready_while_a_broken_pump_drains(
    tmp_path: Path, error: Exception, told: str
) -> None:
    """What stopped it is told at once, in one line, every problem of it."""

    async def work(place: Place) -> None:
        await place.gates.look(place.told)
        await reached(place, 1)
        place.fleet.pumps[NAME].fail(error)
        assert await place.gates.look(place.location.reasons) == [f"fraud: {told}"]

    led(tmp_path, work)


def test_a_pump_that_breaks_while_it_is_taken_away_is_not_missed(tmp_path: Path) -> None:
    """A service that is paused stays paused, however its drain ended."""

    async def work(place: Place) -> None:
        await place.gates.look(place.told)
        await reached(place, 1)
        pump = place.fleet.pumps[NAME]
        await deploy.want(place.journal, NAME, "paused", wait_s=0)
        place.keeper.look()
        await place.gates.look(lambda: pump.fail(RuntimeError("no more")))
        said = await place.said.get()
        assert said is not None
        assert (said.state, place.keeper.reason) == ("paused", "")

    led(tmp_path, work)


def test_it_says_that_no_events_flow(tmp_path: Path) -> None:
    """When its breaker opens, and after another change; a resume closes it, and says so."""

    async def work(place: Place) -> None:
        await place.gates.look(place.told)
        await reached(place, 1)
        switch = place.fleet.pumps[NAME].switch
        broken = [Fault(row, Stage.NODE, "NodeError", "") for row in range(100)]
        assert not switch.admits(Outcomes([None] * 100, broken))
        said = [await place.said.get()]
        await deploy.deprecate(place.journal, NAME, deprecated=True, wait_s=0)
        place.keeper.look()
        said.append(await place.said.get())
        for one in said:
            assert one is not None
            assert (one.state, one.serving, one.reason) == ("tripped", 1, switch.reason)
        await deploy.want(place.journal, NAME, "running", wait_s=0)
        place.keeper.look()
        await reached(place, 1)
        assert switch.reason == ""

    led(tmp_path, work)


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({}, True),
        ({"topic": "other"}, False),
        ({"isolation": "read_uncommitted"}, False),
        ({"start": "latest"}, False),
    ],
)
def test_what_a_consumer_must_be_made_anew_for(changed: dict[str, str], same: bool) -> None:
    """Everything that it was made with: its topic, its isolation, and where it starts."""
    data = graph(node("times", "Arithmetic", left="a", op="*", right=2, into="x"))
    other = {**data, "source": {**data["source"], **changed}}
    assert (_way(planned(data)) == _way(planned(other))) == same
