"""Which fields a notebook's graph asks of the events: a misspelt column is one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from worker.errors import Problem, nearest
from worker.graph.dsl import Dsl
from worker.graph.infer import Inference
from worker.graph.payload import Cells, dtype_of, samples
from worker.nodes.base import Params
from worker.schema import parse


def asked_fields(graph: Dsl, params: Mapping[str, Params]) -> tuple[list[str], list[Problem]]:
    """The fields that nodes ask for and no sample of the graph has.

    Args:
        graph: without structural problems.
        params: of each node, validated.

    Returns:
        Their names, and a problem for each that is nearly the name of a sample's column.
    """
    cells = samples(graph.nodes)
    known = {name: found for name, rows in cells.items() if (found := dtype_of(rows)) is not None}
    fields = [name for name in Inference(graph, params, known).types if name not in cells]
    return fields, misspelt(fields, cells)


def nearly_known(asked: Mapping[str, Any], known: Mapping[str, Any]) -> list[str]:
    """Fields of one JSON Schema that another has under nearly that name, and not under that one."""
    names = parse(known).columns
    return [
        name
        for name in parse(asked).columns
        if name not in names and "did you mean" in nearest(name, names)
    ]


def widened(known: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON Schema, and the fields of another that it does not declare; its own stay."""
    mine, others = known.get("properties"), asked.get("properties")
    if not isinstance(mine, Mapping) or not isinstance(others, Mapping):
        return dict(known)
    fields = {
        name: widened(mine[name], field) if isinstance(mine.get(name), Mapping) else field
        for name, field in others.items()
        if name not in mine or isinstance(mine[name], Mapping)
    }
    return {**known, "properties": {**mine, **fields}}


def misspelt(fields: Iterable[str], cells: Cells) -> list[Problem]:
    """Fields that a sample does not have, but for a column of nearly that name."""
    hints = {name: nearest(name, cells) for name in fields}
    return [
        Problem(name, f"is no column of json_payload{hint} Else put it there; null will do")
        for name, hint in hints.items()
        if "did you mean" in hint
    ]
