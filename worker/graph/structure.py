"""Phase one of a graph's validation: kinds, params, edges and topics; no file is read."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ValidationError

from worker.errors import Problem, nearest
from worker.graph.dsl import Dsl
from worker.graph.order import predecessors, topological
from worker.graph.spec import MAX_TOPIC_LENGTH, GraphSpec, NodeSpec
from worker.nodes.base import Params
from worker.nodes.registry import kinds
from worker.problems import problems_of

_AUTHORING: dict[str, str] = {
    "Split": "; it divides training data while a graph is written, leave it out of the graph",
    "ScikitLearn": "; it trains while a graph is written, use ONNXNode with the model it made",
    "ModelUpload": "; it stores a model while a graph is written, use ONNXNode with its model",
    "Simulator": "; it makes events for tests and demos, leave it out of the graph",
}
"""Kinds of a notebook that are no part of a service: what to do instead."""


def structure(spec: GraphSpec) -> tuple[dict[str, Params], list[Problem]]:
    """What is wrong with the graph as a text.

    Returns:
        The validated params of each node that has some, and every problem.
    """
    params, problems = node_params(spec.nodes)
    return params, [*problems, *edge_problems(spec), *_topic_problems(spec)]


def node_params(nodes: Iterable[NodeSpec]) -> tuple[dict[str, Params], list[Problem]]:
    """The validated params of each node by its id, and what is wrong with kinds and params."""
    problems: list[Problem] = []
    params: dict[str, Params] = {}
    for i, node in enumerate(nodes):
        kind = kinds().get(node.type)
        if kind is None:
            hint = _AUTHORING.get(node.type) or nearest(node.type, kinds())
            problems.append(Problem(f"nodes[{i}].type", f"no node kind '{node.type}'{hint}"))
            continue
        try:
            params[node.id] = kind.Params.model_validate(node.params)
        except ValidationError as error:
            found = problems_of(error, kind.Params, node.params)
            problems += [problem.within(f"nodes[{i}].params") for problem in found]
    return params, problems


def edge_problems(spec: GraphSpec | Dsl) -> list[Problem]:
    """What is wrong with ids and edges; where there is nothing, the nodes have an order."""
    before, problems = predecessors([node.id for node in spec.nodes], spec.links)
    if spec.edges is None:  # nobody wrote the links: only an id can be wrong
        return [problem for problem in problems if problem.path.startswith("nodes")]
    if not any(problem.path.startswith("nodes") for problem in problems):
        _, cycle = topological(before)
        if cycle:
            names = ", ".join(f"'{name}'" for name in cycle)
            problems.append(Problem("edges", f"a graph has no cycles, but here is one: {names}"))
    return problems


def _topic_problems(spec: GraphSpec) -> list[Problem]:
    problems = []
    if spec.sink.topic == spec.source.topic:
        problems.append(Problem("sink.topic", "is the source's own topic: an endless loop"))
    if spec.dead_letter_topic in (spec.source.topic, spec.sink.topic):
        place = "dead_letter.topic" if spec.dead_letter else "dead_letter"
        problems.append(Problem(place, f"'{spec.dead_letter_topic}' must be a topic of its own"))
    if len(spec.dead_letter_topic) > MAX_TOPIC_LENGTH:
        message = f"'{spec.dead_letter_topic}' is too long for a topic; name one"
        problems.append(Problem("dead_letter", message))
    return problems
