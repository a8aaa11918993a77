"""A real server on a real socket, in a thread of its own, and how tests ask it."""

from __future__ import annotations

import asyncio
import functools
import http.client
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from prometheus_client import CollectorRegistry

from tests.graph.support import graph, node, planned
from worker.batch import Batch
from worker.cli.loading import load_graph
from worker.graph.plan import Plan
from worker.nodes.base import Node
from worker.settings import Settings
from worker.web.catalogue import SERVING, Served
from worker.web.limits import Limits
from worker.web.management import Place
from worker.web.server import Web

HOST = "127.0.0.1"
TIMEOUT_S = 30
GRAPHS = Path(__file__).parents[2] / "graphs"
EXAMPLES = ("breast-cancer", "car-insurance", "digits")
COPY = node("copy", "Copy", columns={"a": "c"})


@functools.cache
def example(name: str) -> Plan:
    """The plan of an example graph."""
    return load_graph(GRAPHS / name).plan


def example_events(name: str, most: int = 200) -> list[bytes]:
    """The first of the events beside an example graph."""
    return (GRAPHS / name / "events.jsonl").read_bytes().splitlines()[:most]


def served(plan: Plan, **changes: Any) -> Served:
    """A service as a worker with that graph has it."""
    name = plan.spec.name
    return replace(Served(name, name, plan, None, SERVING), **changes)


@dataclass
class Shelf:
    """A catalogue that tests fill and empty."""

    services: dict[str, Served] = field(default_factory=dict)
    resumed: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, *services: Served) -> Shelf:
        """These services."""
        return cls({service.id: service for service in services})

    def served(self) -> dict[str, Served]:
        """As it is now."""
        return dict(self.services)

    def resume(self, service: str) -> None:
        """Notes it."""
        self.resumed.append(service)


class Gate:
    """A node that waits until it is opened, or fails after half a minute."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.opened = threading.Event()

    def process(self, batch: Batch) -> Batch:
        """Tells that a batch is here, and waits."""
        self.entered.release()
        assert self.opened.wait(TIMEOUT_S)
        return batch

    def plan(self) -> Plan:
        """A graph called g with this node behind `COPY`."""
        made = planned(graph(COPY))
        gate = replace(made.steps[0], id="gate", before=("copy",), node=cast("Node[Any]", self))
        return replace(made, steps=(*made.steps, gate), ends=("gate",))


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, as JSON."""
        assert self.headers["Content-Type"].startswith("application/json"), self
        return json.loads(self.body)


@dataclass(frozen=True)
class Client:
    """Asks one server; every request has a connection of its own."""

    port: int
    web: Web

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request; a body is JSON unless the headers say otherwise."""
        kind = {"Content-Type": "application/json"} if body is not None else {}
        connection = http.client.HTTPConnection(HOST, self.port, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, body, {**kind, **(headers or {})})
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def score(self, service: str, body: bytes, kind: str = "application/json") -> Answer:
        """`POST /services/{id}/score`."""
        return self.ask("POST", f"/services/{service}/score", body, {"Content-Type": kind})

    def raw(self, sent: bytes) -> bytes:
        """Everything the server says to these bytes, until it closes the connection."""
        with socket.create_connection((HOST, self.port), timeout=TIMEOUT_S) as connection:
            connection.sendall(sent)
            parts = []
            while part := connection.recv(65_536):
                parts.append(part)
        return b"".join(parts)


@contextmanager
def serving(
    catalogue: Shelf,
    limits: Limits | None = None,
    registry: CollectorRegistry | None = None,
    reasons: list[str] | None = None,
    place: Place | None = None,
    **settings: Any,
) -> Iterator[Client]:
    """A server with this catalogue, on any port of loopback unless told otherwise."""
    wanted = Settings(http_port=0, **settings)
    metrics = registry or CollectorRegistry()
    web = Web(wanted, metrics, lambda: reasons or [], catalogue, limits, lambda: place)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(web.start(), loop).result(TIMEOUT_S)
        yield Client(web.port, web)
    finally:
        asyncio.run_coroutine_threadsafe(web.stop(), loop).result(TIMEOUT_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
