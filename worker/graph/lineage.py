"""Where each column of a plan comes from: column by column, through every node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from worker.batch import ColumnType
from worker.errors import ConfigError
from worker.graph.plan import Plan, Step
from worker.nodes.base import TOPIC_COLUMN, Columns, Context, Node, Params
from worker.nodes.onnx_node import ONNXNode

Sources = Mapping[str, frozenset[str]]
"""Origin -> ids of the nodes on the way. An origin is an event field or ``<node>.<output>``."""


class Lineage:
    """The sources of every column at every node of a plan.

    A model ends a way: what comes out of it is an origin of its own.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._entering: dict[str, dict[str, Sources]] = {}
        self._leaving: dict[str, dict[str, Sources]] = {}
        for step in plan.steps:
            entering = self._joined(step.before)
            self._entering[step.id] = entering
            self._leaving[step.id] = _after(step, entering, incoming(plan, step))

    def entering(self, node: str) -> Mapping[str, Sources]:
        """The columns that reach a node."""
        return self._entering[node]

    def at_the_sink(self) -> Mapping[str, Sources]:
        """The columns that reach the sink."""
        return self._joined(self._plan.ends)

    def _joined(self, before: tuple[str, ...]) -> dict[str, Sources]:
        flows = [self._leaving[name] for name in before]
        if not flows:
            flows = [{name: {name: frozenset[str]()} for name in self._plan.schema.columns}]
        joined: dict[str, Sources] = {}
        for flow in flows:
            for name, sources in flow.items():
                joined[name] = _united([joined.get(name, {}), sources])
        return joined


def incoming(plan: Plan, step: Step) -> dict[str, ColumnType]:
    """The types of the columns that reach a step."""
    steps = {other.id: other for other in plan.steps}
    flows = [steps[name].types for name in step.before] or [plan.schema.columns]
    return {name: kind for flow in flows for name, kind in flow.items()}


def _after(
    step: Step, entering: Mapping[str, Sources], types: Mapping[str, ColumnType]
) -> dict[str, Sources]:
    signature, node = step.node.signature, step.node
    leaving = {name: s for name, s in entering.items() if name not in signature.removes}
    if isinstance(node, ONNXNode):
        outputs = node.selectors.items()
        return leaving | {name: {f"{step.id}.{out}": frozenset[str]()} for name, out in outputs}
    if decides_only(node):
        for name in signature.reads:
            leaving[name] = _through(step.id, [entering[name]])
    for name, parents in _parents(node, types).items():
        leaving[name] = _through(step.id, [entering[parent] for parent in parents])
    return leaving


def decides_only(node: Node[Any]) -> bool:
    """Whether it looks at columns, changes none, and says what becomes of rows, as Filter does."""
    signature = node.signature
    changes = signature.writes.keys() - {TOPIC_COLUMN} or signature.removes
    return bool(signature.reads) and not changes


def _united(many: list[Sources]) -> dict[str, frozenset[str]]:
    united: dict[str, frozenset[str]] = {}
    for sources in many:
        for origin, nodes in sources.items():
            united[origin] = united.get(origin, frozenset()) | nodes
    return united


def _through(node: str, many: list[Sources]) -> Sources:
    return {origin: nodes | {node} for origin, nodes in _united(many).items()}


def _parents(node: Node[Any], types: Mapping[str, ColumnType]) -> dict[str, tuple[str, ...]]:
    """Each written column and the columns it is made of.

    Some nodes say it. One that works on several ``columns`` is asked about one of them at a time;
    otherwise every written column is taken to come from all that are read.
    """
    signature = node.signature
    if signature.made_of:
        return dict(signature.made_of)
    all_of_them = dict.fromkeys(signature.writes, signature.reads)
    if len(signature.reads) < 2:
        return all_of_them
    found: dict[str, tuple[str, ...]] = {}
    for name, params in _one_at_a_time(node.params):
        if name not in types:
            return all_of_them
        try:
            alone = type(node)(params, Columns({name: types[name]}), Context()).signature
        except ConfigError:
            return all_of_them
        for written in alone.writes:
            found[written] = (*found.get(written, ()), *alone.reads)
    return found if found.keys() == signature.writes.keys() else all_of_them


def _one_at_a_time(params: Params) -> Iterator[tuple[str, Params]]:
    """The params with each of their ``columns`` alone, and with its items of the lists beside."""
    columns = getattr(params, "columns", None)
    if isinstance(columns, dict):
        for name, value in columns.items():
            yield name, params.model_copy(update={"columns": {name: value}})
    elif isinstance(columns, list):
        lists = {
            key: value
            for key, value in params
            if isinstance(value, list) and len(value) == len(columns)
        }
        for i, name in enumerate(columns):
            yield name, params.model_copy(update={key: [v[i]] for key, v in lists.items()})
