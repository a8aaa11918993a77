"""The graph of a notebook: nodes and edges in Adobe's envelope, without topics and schema."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, Field, ValidationError

from worker.errors import ConfigError, Problem
from worker.graph.spec import ENVELOPE, MAX_NODES, NodeSpec, Part, unwrap
from worker.graph.text import Document
from worker.problems import problems_of


class Dsl(Part):
    """Nodes and edges; everything else that the envelope holds is kept as it is."""

    model_config = ConfigDict(frozen=True, extra="allow")

    nodes: list[NodeSpec] = Field(min_length=1, max_length=MAX_NODES)
    edges: list[tuple[str, str]] | None = None

    @property
    def links(self) -> list[tuple[str, str]]:
        """The edges, a chain in the order of nodes where none are given."""
        if self.edges is not None:
            return [(a, b) for a, b in self.edges]
        return list(itertools.pairwise(node.id for node in self.nodes))

    @property
    def rest(self) -> dict[str, Any]:
        """What a graph file may say further: name, source, sink, ..."""
        return dict(self.model_extra or {})

    def text(self) -> str:
        """As JSON in the envelope; the same text for the same graph."""
        inner: object = {
            **self.rest,
            "nodes": [node.model_dump(mode="json") for node in self.nodes],
            "edges": [list(link) for link in self.links],
        }
        for key in reversed(ENVELOPE):
            inner = {key: inner}
        return json.dumps(inner, indent=2, ensure_ascii=False)


def parse_dsl(data: object) -> Dsl:
    """The graph in JSON text or decoded, flat or in the envelope.

    A node's id may have been replaced in ``nodes`` alone, as Adobe's notebook does before it sends
    a graph again: where one node is in no edge and one name in the edges is no node, they are one.

    Raises:
        ConfigError: every structural problem, with its path.
    """
    if isinstance(data, (str, bytes)):
        text = data.decode() if isinstance(data, bytes) else data
        data = Document(text, "DSL").data
    inner, prefix = unwrap(data)
    if not isinstance(inner, Mapping) or "nodes" not in inner:
        raise ConfigError(Problem(prefix, "a DSL is a mapping with nodes and edges"))
    try:
        return _renamed(Dsl.model_validate(inner))
    except ValidationError as error:
        found = problems_of(error, Dsl, inner)
        raise ConfigError(p.within(prefix) if prefix else p for p in found) from error


def _renamed(dsl: Dsl) -> Dsl:
    ids = [node.id for node in dsl.nodes]
    ends = dict.fromkeys(end for link in dsl.edges or [] for end in link)
    lost = [end for end in ends if end not in ids]
    alone = [name for name in ids if name not in ends]
    if len(lost) != 1 or len(alone) != 1:
        return dsl
    found = {lost[0]: alone[0]}
    edges = [(found.get(a, a), found.get(b, b)) for a, b in dsl.links]
    return dsl.model_copy(update={"edges": edges})
