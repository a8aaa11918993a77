"""The smallest graph with a model, on topics and in a consumer group of its own."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.kafka.client import TIMEOUT_S, Stored, committed, create_topic, end_offsets, read_all
from tests.kafka.worker import Worker

MODEL = Path(__file__).parents[1] / "data" / "lr.onnx"
SCHEMA = {
    "type": "object",
    "required": ["f0", "f1"],
    "properties": {"f0": {"type": "number"}, "f1": {"type": "number"}},
}
SCORE = {
    "id": "score",
    "type": "ONNXNode",
    "params": {
        "model": MODEL.name,
        "features": ["f0", "f1"],
        "outputs": {"score": "probabilities[1]"},
    },
}
"""The node that adds the field ``score``."""
GROUP_PREFIX = "group"


@dataclass(frozen=True, slots=True)
class Service:
    """A graph file, its topics, and the group of the workers that serve it."""

    bootstrap: str
    name: str
    source: str
    sink: str
    dead: str
    graph: Path

    @property
    def group(self) -> str:
        """The consumer group, whether a worker serves this graph alone or with others."""
        return f"{GROUP_PREFIX}-{self.name}"

    def worker(
        self,
        *options: str,
        environment: Mapping[str, str] | None = None,
        bootstrap: str = "",
        program: str = "worker",
    ) -> Worker:
        """A worker process that serves this graph."""
        address = bootstrap or self.bootstrap
        place = (self.graph, address, self.group, self.graph.parent)
        return Worker(*place, options, environment, program)

    def settled(self, group: str = "", timeout_s: float = TIMEOUT_S) -> None:
        """Return once the group has committed the end of the source topic, as it is now."""
        ends = end_offsets(self.bootstrap, self.source)
        deadline = time.monotonic() + timeout_s
        while True:
            found = committed(self.bootstrap, group or self.group, self.source)
            if all(found.get(number, 0) >= end for number, end in ends.items()):
                return
            assert time.monotonic() < deadline, (
                f"committed {found} of {ends} after {timeout_s:.0f} s"
            )

    def scored(self) -> list[Stored]:
        """The scored records, partition by partition."""
        return read_all(self.bootstrap, self.sink)

    def dead_letters(self) -> list[Stored]:
        """The dead letters, partition by partition."""
        return read_all(self.bootstrap, self.dead)


def make_service(
    bootstrap: str,
    folder: Path,
    *,
    partitions: int = 4,
    sink_partitions: int | None = None,
    source_config: Mapping[str, str] | None = None,
    sink_config: Mapping[str, str] | None = None,
    dead_config: Mapping[str, str] | None = None,
    source: Mapping[str, Any] | None = None,
    sink: Mapping[str, Any] | None = None,
    nodes: Sequence[Mapping[str, Any]] = (SCORE,),
    label: str = "lr",
    guarantee: str = "at_least_once",
    create: bool = True,
) -> Service:
    """Write a graph file and create its topics.

    Args:
        bootstrap: where the topics are created.
        folder: where the graph file and its model go.
        partitions: of the source and the dead-letter topic.
        sink_partitions: of the sink, as many as the source's if None.
        source_config: of the source topic.
        sink_config: of the sink topic.
        dead_config: of the dead-letter topic.
        source: what the graph says of its source, besides topic and schema.
        sink: what the graph says of its sink, besides the topic.
        nodes: the graph's nodes, a chain.
        label: the beginning of every name.
        guarantee: of the delivery.
        create: whether the topics are created.
    """
    name = f"{label}-{uuid.uuid4().hex[:8]}"
    service = Service(
        bootstrap, name, name, f"{name}-scored", f"{name}-dlq", folder / f"{name}.yaml"
    )
    shutil.copy(MODEL, folder)
    graph = {
        "name": name,
        "source": {"topic": service.source, "schema": SCHEMA, **(source or {})},
        "nodes": [dict(node) for node in nodes],
        "sink": {"topic": service.sink, **(sink or {})},
        "delivery": {"guarantee": guarantee},
    }
    service.graph.write_text(yaml.safe_dump(graph, sort_keys=False))
    if create:
        create_topic(bootstrap, service.source, partitions, source_config)
        create_topic(bootstrap, service.sink, sink_partitions or partitions, sink_config)
        create_topic(bootstrap, service.dead, partitions, dead_config)
    return service


def serve(services: Sequence[Service], folder: Path) -> Worker:
    """One worker process that serves several graphs, each in its own `Service.group`."""
    graphs = [service.graph for service in services]
    return Worker(graphs, services[0].bootstrap, GROUP_PREFIX, folder)
