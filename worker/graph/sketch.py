"""A notebook's graph as boxes and arrows, before it has topics, a schema and models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker.graph.draw import Box, Drawing, Look
from worker.graph.dsl import Dsl
from worker.graph.flow import words
from worker.graph.order import predecessors, topological

_DECISIONS = frozenset({"Filter", "Validate", "Route"})


def sketch(dsl: Dsl, name: str = "graph") -> Drawing:
    """What can be drawn of nodes and edges alone; the graph must have no cycle."""
    nodes = {node.id: node for node in dsl.nodes}
    before, _ = predecessors(list(nodes), dsl.links)
    order, _ = topological(before)
    keys = {node: f"n{i}" for i, node in enumerate(order)}
    fed = {feeder for feeders in before.values() for feeder in feeders}
    edges = [
        (keys.get(feeder, "source"), keys[node])
        for node in order
        for feeder in (before[node] or [""])
    ]
    edges += [(keys[node], "t0") for node in order if node not in fed]
    boxes = [
        Box("source", Look.TOPIC, "events", "source topic"),
        *(
            Box(keys[node], _look(nodes[node].type), node, below(nodes[node].type, params))
            for node in order
            for params in [nodes[node].params]
        ),
        Box("t0", Look.TOPIC, "scored events", "sink topic"),
    ]
    return Drawing(name, boxes, Box("dead", Look.DEAD, "dead letters", "topic"), edges)


def _look(kind: str) -> Look:
    if kind == "ONNXNode":
        return Look.MODEL
    return Look.DECISION if kind in _DECISIONS else Look.STEP


def below(kind: str, params: Mapping[str, Any]) -> str:
    """The kind, and what the node is about: its model, its operation, its columns."""
    about = params.get("model") or params.get("model_id") or params.get("import")
    columns = list(words(params.get("cols") or params.get("columns") or params.get("column")))
    shown = ", ".join(columns) if len(columns) <= 2 else f"{len(columns)} columns"
    return " · ".join(filter(None, [kind, about and str(about), shown]))
