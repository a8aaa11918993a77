"""A location of its own: its workers, its model store, and changes of its services."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import onnx
import yaml

from tests.cli.conftest import Done
from tests.kafka import inside
from tests.kafka.service import GROUP_PREFIX, MODEL, Service
from tests.kafka.worker import Worker
from worker.graph.plan import Plan
from worker.graph.spec import GraphSpec, load
from worker.models.store.store import Store
from worker.services import deploy
from worker.services.document import self_contained
from worker.services.journal import Journal
from worker.services.outcome import Outcome
from worker.settings import Settings

WAIT_S = 30.0
T = TypeVar("T")


class Site:
    """A location; leaving the context kills its workers and deletes its services.

    Args:
        bootstrap: the broker's address.
        folder: where its model store and the logs of its workers go.
    """

    def __init__(self, bootstrap: str, folder: Path) -> None:
        self.bootstrap, self.folder = bootstrap, folder
        self.name = f"site-{uuid.uuid4().hex[:8]}"
        self.store_url = folder / "store"
        self.store = Store(str(self.store_url), folder / "cache")
        self.settings = Settings(brokers=bootstrap)
        self._workers = ExitStack()

    def worker(self, *options: str, environment: Mapping[str, str] | None = None) -> Worker:
        """A running worker that is ready: it follows the registry and serves what it could."""
        worker = self.start(*options, environment=environment)
        worker.wait_ready()
        return worker

    def start(
        self,
        *options: str,
        environment: Mapping[str, str] | None = None,
        program: str = "worker",
    ) -> Worker:
        """A worker process, whether it is ready or not."""
        settings = {"RTML_MODEL_STORE": str(self.store_url), **(environment or {})}
        place = ["--location", self.name, *options]
        worker = Worker([], self.bootstrap, GROUP_PREFIX, self.folder, place, settings, program)
        return self._workers.enter_context(worker)

    def rtml(self, *arguments: str | Path) -> Done:
        """Runs ``rtml service ...`` inside this process: as fast as a call, with its exit code."""
        settings = {
            "RTML_BROKERS": self.bootstrap,
            "RTML_MODEL_STORE": str(self.store_url),
            "RTML_LOCATION": self.name,
        }
        return inside.rtml(settings, "service", *arguments)

    def ask(self, use: Callable[[Journal], Awaitable[T]]) -> T:
        """What ``use`` returns, with the topics of the services opened and read."""

        async def run() -> T:
            async with Journal(self.settings, WAIT_S) as journal:
                return await use(journal)

        return asyncio.run(run())

    def document(self, graph: Path) -> tuple[GraphSpec, Plan]:
        """A graph file as it is published; its model is pushed."""
        return self_contained(load(graph)[0], graph.parent, self.store)

    def publish(self, service: Service, wait_s: float = WAIT_S) -> Outcome:
        """Publishes its graph under its name, so that `Service.group` is its consumer group."""
        spec, plan = self.document(service.graph)
        given: dict[str, Any] = {"location": self.name, "service_id": service.name}
        return self.ask(lambda j: deploy.publish(j, spec, plan, **given, wait_s=wait_s))

    def update(
        self, service: Service, graph: Path | None = None, wait_s: float = WAIT_S
    ) -> Outcome:
        """Makes a new version of its graph, or of another one."""
        spec, plan = self.document(graph or service.graph)
        return self.ask(lambda j: deploy.update(j, service.name, spec, plan, wait_s=wait_s))

    def list(self) -> list[Outcome]:
        """All its services."""

        async def use(journal: Journal) -> list[Outcome]:
            return deploy.listed(journal, self.name)

        return self.ask(use)

    def __enter__(self) -> Site:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._workers.close()

        async def clean(journal: Journal) -> None:
            for outcome in deploy.listed(journal, self.name):
                await deploy.delete(journal, outcome.service.id, wait_s=0)

        self.ask(clean)


def states(outcome: Outcome) -> list[str]:
    """What its workers say."""
    return [status.state for status in outcome.statuses]


def variant(service: Service, label: str, **changes: Any) -> Path:
    """Another graph file beside that of the service, in which top-level keys are replaced."""
    graph = yaml.safe_load(service.graph.read_text())
    path = service.graph.with_name(f"{service.name}-{label}.yaml")
    path.write_text(yaml.safe_dump({**graph, **changes}, sort_keys=False))
    return path


def other_model(folder: Path, factor: float = -2.0) -> Path:
    """The tests' model with other coefficients, so that it gives other scores."""
    model = onnx.load(MODEL)
    coefficients = next(
        attribute
        for node in model.graph.node
        for attribute in node.attribute
        if attribute.name == "coefficients"
    )
    scaled = [factor * one for one in coefficients.floats]
    del coefficients.floats[:]
    coefficients.floats.extend(scaled)
    path = folder / "other.onnx"
    onnx.save(model, path)
    return path


def with_model(service: Service, model: Path) -> Path:
    """The graph of a service with another model."""
    graph = yaml.safe_load(service.graph.read_text())
    if model.parent != service.graph.parent:
        shutil.copy(model, service.graph.parent)
    for node in graph["nodes"]:
        if node["type"] == "ONNXNode":
            node["params"]["model"] = model.name
    return variant(service, model.stem, nodes=graph["nodes"])
