"""Plans for tests: a schema of numbers, nodes, and the small models of tests/data."""

from __future__ import annotations

from typing import Any

from tests.graph.support import DATA
from worker.graph.plan import Plan, plan
from worker.graph.spec import parse


def planned(
    nodes: list[dict[str, Any]],
    *,
    fields: list[str] | None = None,
    edges: list[tuple[str, str]] | None = None,
    numbers: tuple[str, ...] = ("a", "b", "c"),
    properties: dict[str, Any] | None = None,
    name: str = "tested",
) -> Plan:
    """The plan of a graph on events of these numbers; models lie in tests/data.

    Args:
        nodes: as in a graph file.
        fields: of the sink.
        edges: a chain without them.
        numbers: event fields that are numbers.
        properties: other event fields, as JSON Schema.
        name: of the graph.
    """
    declared = {number: {"type": "number"} for number in numbers} | (properties or {})
    graph = {
        "name": name,
        "source": {"topic": "in", "schema": {"type": "object", "properties": declared}},
        "nodes": nodes,
        "edges": [list(edge) for edge in edges] if edges is not None else None,
        "sink": {"topic": "out", "fields": fields},
    }
    return plan(parse(graph), DATA)
