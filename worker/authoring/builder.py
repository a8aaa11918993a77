"""GraphBuilder: nodes and edges of a notebook as the JSON that a worker loads."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from worker.authoring.factory import NodeFactory
from worker.authoring.kinds import core_class
from worker.authoring.node import Node
from worker.errors import ConfigError, Problem
from worker.graph.asked import asked_fields
from worker.graph.categories import with_categories
from worker.graph.dsl import Dsl, parse_dsl
from worker.graph.sketch import sketch
from worker.graph.spec import MAX_NODES
from worker.graph.structure import edge_problems, node_params
from worker.graph.svg import picture
from worker.nodes.registry import kinds
from worker.problems import problems_of

_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_.-]+")
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_MAX_ID = 100


class GraphText(str):
    """The JSON text of a graph, which a notebook shows as a picture."""

    __slots__ = ()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002 - IPython's signature
        return {"text/plain": str(self), "image/svg+xml": picture(sketch(parse_dsl(str(self))))}


class GraphBuilder:
    """Writes graphs, and reads them again."""

    @staticmethod
    def generate_dsl(
        nodes: Sequence[Node], edges: Sequence[tuple[Node | str, Node | str]] | None = None
    ) -> GraphText:
        """The graph as JSON text, ``{"edge": {"applicationDsl": {"nodes": ..., "edges": ...}}}``.

        The same graph gives the same text. A node without an id gets one from its kind and what
        it is about, such as ``map_carbrand``. Fields of the events that the nodes ask for, and no
        sample has, are printed: a misspelt column is one of them.

        Args:
            nodes: in any order; what only a notebook does (Split, ScikitLearn, ...) is refused.
            edges: (from, to), as nodes or their ids; without them the nodes are a chain.

        Raises:
            ConfigError: every problem of every node and edge.
        """
        problems = [*_node_problems(nodes), *_edge_problems(nodes, edges)]
        if problems:
            raise ConfigError(problems)
        ids = _ids(nodes)
        if edges is None:
            edges = list(itertools.pairwise(ids))
        places = {id(node): name for node, name in zip(nodes, ids, strict=True)}
        links = [
            tuple(_end(end, i, j, places, problems) for j, end in enumerate(edge))
            for i, edge in enumerate(edges)
        ]
        written = [
            {"id": name, "type": node.kind, "params": node.params}
            for name, node in zip(ids, nodes, strict=True)
        ]
        data = {"nodes": written, "edges": [list(link) for link in links]}
        try:
            graph = Dsl.model_validate(data)
        except ValidationError as error:
            raise ConfigError([*problems, *problems_of(error, Dsl, data)]) from error
        problems += [*node_params(graph.nodes)[1], *(edge_problems(graph) if not problems else [])]
        if problems:
            raise ConfigError(problems)
        return GraphText(_settled(graph).text())

    @staticmethod
    def from_dsl(dsl: str) -> tuple[list[Node], list[tuple[Node, Node]]]:
        """The nodes and edges of a graph, of which `generate_dsl` makes them again.

        What a graph file says besides (name, source, sink) is not theirs, and is left out.

        Raises:
            ConfigError: every problem of the text.
        """
        graph = parse_dsl(dsl)
        _, problems = node_params(graph.nodes)
        problems += edge_problems(graph)
        if problems:
            raise ConfigError(problems)
        nodes: dict[str, Node] = {}
        for i, spec in enumerate(graph.nodes):
            try:
                nodes[spec.id] = core_class(spec.type)(spec.params, id=spec.id)
            except ConfigError as error:
                problems += [p.within(f"nodes[{i}].params") for p in error.problems]
        if problems:
            raise ConfigError(problems)
        return list(nodes.values()), [(nodes[a], nodes[b]) for a, b in graph.links]


def _settled(graph: Dsl) -> Dsl:
    """The graph with its categories; says which fields it asks of the events.

    Raises:
        ConfigError: categories that nothing names, columns that are misspelt beside a sample.
    """
    try:
        graph, problems = with_categories(graph), []
    except ConfigError as error:
        problems = list(error.problems)
    fields, wrong = asked_fields(graph, node_params(graph.nodes)[0])
    if wrong or problems:
        raise ConfigError([*wrong, *problems])
    if fields:
        print(f"fields of an event that the graph asks for: {', '.join(fields)}")
    return graph


def _node_problems(nodes: Sequence[object]) -> list[Problem]:
    if not nodes or len(nodes) > MAX_NODES:
        return [Problem("nodes", f"a graph has 1 to {MAX_NODES} nodes, not {len(nodes)}")]
    problems = []
    seen: dict[int, int] = {}
    for i, node in enumerate(nodes):
        if not _is_kind(node):
            problems.append(Problem(f"nodes[{i}]", _no_kind(node)))
            continue
        if id(node) in seen:
            message = f"is the same as nodes[{seen[id(node)]}]; make a second one"
            problems.append(Problem(f"nodes[{i}]", message))
        seen[id(node)] = i
    return problems


def _edge_problems(nodes: Sequence[object], edges: object) -> list[Problem]:
    way_out = "give [(nodes[0], nodes[1]), ...], or leave edges out for a chain"
    if edges is None:
        return []
    if not isinstance(edges, (list, tuple)):
        return [Problem("edges", f"is {type(edges).__name__}; {way_out}")]
    if not edges and len(nodes) > 1:
        return [Problem("edges", f"is empty, and nothing would link the nodes; {way_out}")]
    return [
        Problem(f"edges[{i}]", "is no pair (from, to)")
        for i, edge in enumerate(edges)
        if not isinstance(edge, (list, tuple)) or len(edge) != 2
    ]


def _is_kind(node: object) -> bool:
    """Whether its class is one of those that `NodeFactory` finds."""
    if not isinstance(node, Node) or node.kind not in NodeFactory.discover_nodes():
        return False
    return type(node) is NodeFactory.node_class(node.kind)


def _no_kind(node: object) -> str:
    name = type(node).__name__
    if not callable(getattr(node, "process", None)):
        return f"is {name}, and no node"
    return (
        f"is of the class {name}, which the workers do not have: a graph holds node kinds and no "
        f"code. Kinds: {', '.join(kinds())}. A kind of your own is a class in a package with the "
        "entry point rtml.nodes; see docs/notebook.md, A node of your own"
    )


def _ids(nodes: Sequence[Node]) -> list[str]:
    """The nodes' own ids, else names made of what they do; each once."""
    taken = {node.id for node in nodes if node.id is not None}
    ids = []
    for node in nodes:
        name = node.id
        if name is None:
            base = _said(node)
            name, count = base, 1
            while name in taken:
                count += 1
                name = f"{base}_{count}"
            taken.add(name)
        ids.append(name)
    return ids


def _said(node: Node) -> str:
    """The kind in small letters, of Pandas the operation and its column."""
    params = node.params
    if node.kind == "Pandas":
        cols = params.get("cols")
        one = cols if isinstance(cols, str) else cols[0] if cols and len(cols) == 1 else None
        words = [str(params.get("import")), *([one] if one else [])]
    else:
        words = [_WORD.sub("_", node.kind).lower()]
    name = _NOT_IN_IDS.sub("_", "_".join(words))[:_MAX_ID]
    return name if re.match(r"[A-Za-z0-9_]", name) else f"n{name}"


def _end(end: object, i: int, j: int, places: dict[int, str], problems: list[Problem]) -> str:
    if isinstance(end, str):
        return end
    if id(end) not in places:
        what = end.kind if isinstance(end, Node) else type(end).__name__
        problems.append(Problem(f"edges[{i}][{j}]", f"this {what} is none of nodes"))
    return places.get(id(end), "")
