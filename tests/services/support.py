"""Records of services, and a journal that lies in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from tests.graph.support import graph, node, planned
from worker.graph.plan import Plan
from worker.graph.spec import GraphSpec, parse
from worker.services.journal import Journal
from worker.services.records import Presence, Service, State, Status, Version
from worker.settings import Settings

T = TypeVar("T")
Record = tuple[str, bytes | None]


class Memory(Journal):
    """A journal whose registry topic is a list; there are no workers, so nobody is waited for."""

    def __init__(self) -> None:
        super().__init__(Settings(), None)
        self.log: list[Record] = []

    async def change(
        self,
        service_id: str,  # noqa: ARG002 - there is nobody else to be kept out
        decide: Callable[[], Mapping[str, bytes | None]],
    ) -> None:
        """Writes at once what is decided."""
        for key, value in decide().items():
            self.log.append((key, value))
            self.registry.apply(key, value)


def run(work: Coroutine[Any, Any, T]) -> T:
    """What it returns."""
    return asyncio.run(work)


def published(factor: int) -> tuple[GraphSpec, Plan]:
    """A graph that differs by its factor."""
    data = graph(node("times", "Arithmetic", left="a", op="*", right=factor, into="x"))
    return parse(data), planned(data)


def service(id_: str, version: int = 1, **rest: Any) -> Service:
    """A service at the location ``edge``."""
    given = {"name": "g", "location": "edge", "created_ms": 1, "updated_ms": version, **rest}
    return Service(id=id_, version=version, **given)


def version(id_: str, number: int) -> Version:
    """A version without a graph."""
    return Version(service=id_, number=number, graph={}, digest="0", models={}, created_ms=number)


def presence(worker: str, at_ms: int, location: str = "edge") -> Presence:
    """A worker that was there at that time."""
    return Presence(worker=worker, location=location, url=f"http://{worker}", at_ms=at_ms)


def status(id_: str, worker: str, state: State = "serving", **rest: Any) -> Status:
    """What a worker says of the first version."""
    given: dict[str, Any] = {"version": 1, "updated_ms": 1, "at_ms": 1, "serving": 1, **rest}
    return Status(service=id_, worker=worker, state=state, **given)


def record(one: Service | Version | Presence | Status) -> Record:
    """As it stands in its topic."""
    key = one.id if isinstance(one, Service) else one.key
    return key, one.model_dump_json().encode()
