"""How large a graph may be: its nodes, the lists of their params, the columns between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from worker.batch import ColumnType
from worker.bounds import bounds
from worker.errors import Problem
from worker.problems import Location, dotted


def beyond(graph: Mapping[str, object]) -> list[Problem]:
    """What a graph has too much of; what is no graph at all is for others to say."""
    nodes, most = graph.get("nodes"), bounds().max_nodes
    if not isinstance(nodes, list):
        return []
    if len(nodes) > most:
        return [Problem("nodes", f"are {len(nodes)}; at most {most} (RTML_MAX_NODES)")]
    return [
        problem
        for i, node in enumerate(nodes)
        if isinstance(node, Mapping)
        for problem in _long(node.get("params"), ("nodes", i, "params"))
    ]


def _long(data: object, place: Location) -> Iterator[Problem]:
    """Lists and mappings of params with too many entries."""
    if not isinstance(data, list | Mapping):
        return
    most = bounds().max_categories
    if len(data) > most:
        message = f"has {len(data)} entries; at most {most} (RTML_MAX_CATEGORIES)"
        yield Problem(dotted(place), message)
        return
    for key, value in data.items() if isinstance(data, Mapping) else enumerate(data):
        yield from _long(value, (*place, key))


def too_wide(kept: Mapping[str, ColumnType], written: Mapping[str, ColumnType]) -> str:
    """What is too much behind a node, its own columns being ``written``; empty where nothing is."""
    most = bounds()
    columns = len(kept.keys() | written.keys())
    if columns > most.max_columns:
        return f"{columns} columns leave it; at most {most.max_columns} (RTML_MAX_COLUMNS)"
    for name, kind in written.items():
        if (kind.length or 0) > most.max_vector_length:
            return (
                f"vector '{name}' has {kind.length} numbers; at most {most.max_vector_length} "
                "(RTML_MAX_VECTOR_LENGTH)"
            )
    return ""
