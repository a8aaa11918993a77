"""A graph as it is published: one document that needs no file beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from worker.errors import ConfigError, Problem
from worker.graph.plan import Plan
from worker.graph.prepare import prepare
from worker.graph.spec import GraphSpec, parse
from worker.models.store.names import is_reference
from worker.models.store.store import Store
from worker.nodes.base import own_path


def self_contained(spec: GraphSpec, folder: Path | None, store: Store) -> tuple[GraphSpec, Plan]:
    """What `check` finds in order, `stored`.

    Raises:
        ConfigError: every problem of the graph, or a model that the store refuses.
        StoreError: the store cannot be reached.
    """
    return stored(check(spec, folder, store), folder, store)


def check(spec: GraphSpec, folder: Path | None, store: Store) -> GraphSpec:
    """Tries the graph and its models, and writes nothing.

    Returns:
        The same graph with its schema inline.

    Raises:
        ConfigError: every problem of the graph.
        StoreError: the store cannot be reached.
    """
    plan, _ = prepare(spec, folder, lambda: store, inspected=True)
    return plan.inline


def stored(spec: GraphSpec, folder: Path | None, store: Store) -> tuple[GraphSpec, Plan]:
    """The graph that `check` returns with its models in the store, and its plan.

    Models beside the graph are pushed under the names of graph and node; the same bytes again make
    no new version. An alias becomes the version that it means now, and so is recorded.

    Raises:
        ConfigError: a model that the store refuses.
        StoreError: the store cannot be reached.
    """
    document = spec.model_dump(mode="json", by_alias=True)
    problems: list[Problem] = []
    for i, node in enumerate(document["nodes"]):
        key = "model" if "model" in node["params"] else "model_id"
        name = node["params"].get(key)
        if node["type"] == "ONNXNode" and isinstance(name, str):
            try:
                coupled = node["params"].get("rows") == "coupled"
                wanted = f"{spec.name}-{node['id']}"
                node["params"][key] = _stored(name, wanted, folder, store, coupled=coupled)
            except ConfigError as error:
                place = f"nodes[{i}].params.{key}"
                problems += [Problem(place, problem.message) for problem in error.problems]
    if problems:
        raise ConfigError(problems)
    published = parse(document)
    return published, load(published, store)


def _stored(name: str, wanted: str, folder: Path | None, store: Store, *, coupled: bool) -> str:
    if is_reference(name):
        return store.find(name).model_id
    path = own_path(name, folder or Path())
    assert path is not None, "the plan has read it"
    return store.push(path, wanted, coupled=coupled).entry.model_id


def load(graph: GraphSpec | Mapping[str, Any], store: Store) -> Plan:
    """The plan of a published graph.

    Raises:
        ConfigError: every problem.
        StoreError: the store cannot be reached, or holds other bytes.
    """
    spec = graph if isinstance(graph, GraphSpec) else parse(graph)
    plan, _ = prepare(spec, None, lambda: store)
    return plan


def verify(plan: Plan, models: Mapping[str, str]) -> None:
    """Compares a plan's models with what was recorded when it was published.

    Raises:
        ConfigError: a model has other bytes than it had.
    """
    problems = [
        Problem(name, f"has the SHA-256 {found[:12]} here, but {models[name][:12]} was published")
        for name, found in plan.models.items()
        if models.get(name, found) != found
    ]
    if problems:
        raise ConfigError(problems)
