"""Changes that a worker must outlive many times: services that come and go, and rebalances."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from confluent_kafka import Consumer

from bench.soak.holding import Row, after_each
from bench.soak.look import Look, Watched
from bench.topics import client
from tests.kafka.client import Record, produce, read_all
from tests.kafka.metrics import samples
from tests.kafka.service import Service, make_service
from tests.kafka.verdict import events, judge
from worker.graph.spec import load
from worker.models.store.store import Store
from worker.services import deploy
from worker.services.document import self_contained
from worker.services.journal import Journal
from worker.settings import Settings

EVENTS_EACH = 8
PARTITIONS = 4
WAIT_S = 120.0
POLL_S = 0.1
GUARANTEES = ("at_least_once", "exactly_once")

Say = Callable[[str], None]


class _Flow:
    """A few events with each change, so that what comes and goes is in use."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._sent: list[Record] = []

    def push(self) -> None:
        """Sends some more."""
        fresh = events(EVENTS_EACH, len(self._sent))
        produce(self._service.bootstrap, self._service.source, fresh)
        self._sent += fresh

    def wait(self) -> None:
        """Returns once all are scored."""
        read_all(
            self._service.bootstrap, self._service.sink, until=len(self._sent), timeout_s=WAIT_S
        )

    def row(self, title: str, looks: list[Look]) -> Row:
        """With what became of the events."""
        found = judge(self._sent, self._service.scored(), self._service.dead_letters())
        return Row(title, looks, found.lost + found.altered, found.duplicated)


def publishing(brokers: str, folder: Path, times: int, guarantee: str, say: Say) -> Row:
    """Publishes and deletes a service, each time as another one with a group of its own."""
    service = make_service(brokers, folder, source={"start": "latest"}, guarantee=guarantee)
    store = Store(str(folder / "store"), folder / "cache")
    spec, plan = self_contained(load(service.graph)[0], folder, store)
    settings, flow = Settings(brokers=brokers), _Flow(service)
    place = {"location": service.name}
    environment = {"RTML_MODEL_STORE": str(folder / "store")}

    async def cycle(name: str) -> None:
        async with Journal(settings, WAIT_S) as journal:
            given = {**place, "service_id": name}
            made = await deploy.publish(journal, spec, plan, **given, wait_s=WAIT_S)
            if not made.reached:
                raise RuntimeError(f"'{name}' is not served: {made.statuses}")
            await asyncio.to_thread(flow.push)
            await asyncio.to_thread(flow.wait)
            gone = await deploy.delete(journal, name, wait_s=WAIT_S)
            if not gone.reached:
                raise RuntimeError(f"'{name}' is not gone: {gone.statuses}")

    def change(i: int) -> None:
        say(f"service {i + 1} of {times}, {guarantee}")
        asyncio.run(cycle(f"{service.name}-{i}"))

    options = ["--location", service.name, "--group", "soak"]
    with Watched(brokers, folder, options, environment) as watched:
        watched.wait_ready()
        looks = list(after_each(watched, change, times))
    return flow.row(f"{times} services published and deleted, {guarantee}", looks)


def rebalancing(brokers: str, folder: Path, times: int, guarantee: str, say: Say) -> Row:
    """Another member joins the group, takes half of the partitions, and leaves it."""
    service = make_service(brokers, folder, partitions=PARTITIONS, guarantee=guarantee)
    flow = _Flow(service)

    def change(i: int) -> None:
        say(f"rebalances {2 * i + 1} and {2 * i + 2} of {2 * times}, {guarantee}")
        _visit(brokers, service, flow)
        _until(lambda: len(samples(watched.get("/metrics"), "rtml_frontier_offset")) == PARTITIONS)
        flow.wait()

    with Watched(brokers, folder, [str(service.graph), "--group", service.group]) as watched:
        watched.wait_ready()
        looks = list(after_each(watched, change, times))
    return flow.row(f"{2 * times} rebalances, {guarantee}", looks)


def _visit(brokers: str, service: Service, flow: _Flow) -> None:
    """A member that reads and commits nothing: what comes meanwhile is the worker's later."""
    guest = Consumer(
        {**client(brokers), "group.id": service.group, "enable.auto.commit": False}
        | {"partition.assignment.strategy": "roundrobin", "auto.offset.reset": "latest"}
    )
    try:
        guest.subscribe([service.source])
        _until(lambda: guest.poll(POLL_S) or guest.assignment())
        flow.push()
    finally:
        guest.close()


def _until(condition: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > deadline_s:
            raise RuntimeError(f"the group is not as it should be after {WAIT_S:.0f} s")
        time.sleep(POLL_S)
