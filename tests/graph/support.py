"""How graph tests write graphs and plan them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from worker.graph.plan import Plan, plan
from worker.graph.spec import parse

DATA = Path(__file__).parent.parent / "data"
"""Small models that tests share."""

FIELDS: dict[str, Any] = {
    "a": {"type": "number"},
    "b": {"type": "number"},
    "n": {"type": "integer"},
    "t": {"type": "string"},
    "v": {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3},
}


def node(id_: str, kind: str, **params: Any) -> dict[str, Any]:
    """One node of a graph file."""
    return {"id": id_, "type": kind, "params": params}


def graph(*nodes: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """A graph file: topics in and out, `FIELDS`, and whatever ``rest`` replaces."""
    return {
        "name": "g",
        "source": {"topic": "in", "schema": {"type": "object", "properties": FIELDS}},
        "nodes": list(nodes),
        "sink": {"topic": "out"},
        **rest,
    }


def planned(data: dict[str, Any], folder: Path = DATA) -> Plan:
    """The plan of a graph file beside the shared models."""
    return plan(parse(data), folder)
