"""A spec becomes a plan: ordered, built nodes whose columns, dtypes and shapes are proven to fit.

A plan that exists is valid. `structure` looks at the file alone; `plan` also reads the schema and
the models beside it. Both report every problem at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from worker.batch import ColumnType
from worker.codec.decode import Decoder
from worker.codec.encode import Encoder
from worker.errors import ConfigError, Problem, nearest
from worker.graph.order import predecessors, topological
from worker.graph.spec import GraphSpec, NodeSpec
from worker.graph.text import read
from worker.nodes.base import TOPIC_COLUMN, Columns, Context, Node, Params
from worker.nodes.registry import kinds
from worker.problems import problems_of
from worker.schema import Schema, parse


@dataclass(frozen=True, slots=True)
class Step:
    """One node in its place.

    Attributes:
        id: the node's id in the graph file.
        kind: the node's kind.
        node: ready to process.
        before: ids of the nodes that feed it; empty means the source.
        types: the columns that leave it.
    """

    id: str
    kind: str
    node: Node[Any]
    before: tuple[str, ...]
    types: Mapping[str, ColumnType]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that scoring needs, checked.

    Attributes:
        spec: the graph file.
        schema: the source's declared fields.
        steps: in an order in which each follows those that feed it.
        ends: ids of the last nodes, which feed the sink.
        fields: the columns the sink writes, with their types.
        topics: every topic a scored record can go to, the sink's own first.
    """

    spec: GraphSpec
    schema: Schema
    steps: tuple[Step, ...]
    ends: tuple[str, ...]
    fields: Mapping[str, ColumnType]
    topics: tuple[str, ...]
    decoder: Decoder
    encoder: Encoder

    @property
    def models(self) -> dict[str, str]:
        """Name -> SHA-256 of each model, in the steps' order."""
        return {name: sha for step in self.steps for name, sha in step.node.models.items()}


@dataclass(frozen=True, slots=True)
class _Flow:
    """The columns at one point of the graph, and which node wrote each last."""

    types: Mapping[str, ColumnType]
    writers: Mapping[str, str]
    complete: bool = True


def structure(spec: GraphSpec) -> tuple[dict[str, Params], list[Problem]]:
    """Phase one: kinds, params and edges; no file is read.

    Returns:
        The validated params of each node that has some, and every problem.
    """
    problems: list[Problem] = []
    params: dict[str, Params] = {}
    for i, node in enumerate(spec.nodes):
        kind = kinds().get(node.type)
        if kind is None:
            hint = nearest(node.type, kinds())
            problems.append(Problem(f"nodes[{i}].type", f"no node kind '{node.type}'{hint}"))
            continue
        try:
            params[node.id] = kind.Params.model_validate(node.params)
        except ValidationError as error:
            found = problems_of(error, kind.Params, node.params)
            problems += [problem.within(f"nodes[{i}].params") for problem in found]
    before, broken = predecessors([node.id for node in spec.nodes], spec.links)
    problems += broken
    if not broken:
        _, cycle = topological(before)
        if cycle:
            names = ", ".join(f"'{name}'" for name in cycle)
            problems.append(Problem("edges", f"a graph has no cycles, but these wait: {names}"))
    return params, problems + _topic_problems(spec)


def _topic_problems(spec: GraphSpec) -> list[Problem]:
    problems = []
    if spec.sink.topic == spec.source.topic:
        problems.append(Problem("sink.topic", "is the source's own topic: an endless loop"))
    if spec.dead_letter_topic in (spec.source.topic, spec.sink.topic):
        place = "dead_letter.topic"
        problems.append(Problem(place, f"'{spec.dead_letter_topic}' must be a topic of its own"))
    if spec.delivery.guarantee == "exactly_once":
        message = "exactly_once is not available in this version; use at_least_once"
        problems.append(Problem("delivery.guarantee", message))
    return problems


def plan(spec: GraphSpec, folder: Path) -> Plan:
    """Both phases: the plan of a graph whose files lie in ``folder``.

    Raises:
        ConfigError: every problem, with its path in the graph.
    """
    params, problems = structure(spec)
    try:
        schema = _schema(spec, folder)
    except ConfigError as error:
        raise ConfigError([*problems, *error.problems]) from error
    if len(params) < len(spec.nodes) or any(p.path.startswith("edges") for p in problems):
        raise ConfigError(problems)
    made = _Maker(spec, schema, params, Context(folder), problems).make()
    if problems or made is None:
        raise ConfigError(problems)
    return made


def _schema(spec: GraphSpec, folder: Path) -> Schema:
    source = spec.source.event_schema
    try:
        if isinstance(source, dict):
            return parse(source)
        root = folder.resolve()
        path = (root / source).resolve()
        if not path.is_relative_to(root):
            raise ConfigError(Problem("", f"'{source}' must lie in the graph's own folder"))
        document = read(path)
        try:
            return parse(document.data)
        except ConfigError as error:
            raise ConfigError(document.locate(problem) for problem in error.problems) from error
    except ConfigError as error:
        raise ConfigError(
            p if p.file else p.within("source.schema") for p in error.problems
        ) from error


class _Maker:
    """Builds the steps of one graph in order and collects what does not fit."""

    def __init__(
        self,
        spec: GraphSpec,
        schema: Schema,
        params: Mapping[str, Params],
        context: Context,
        problems: list[Problem],
    ) -> None:
        self._spec, self._schema, self._params = spec, schema, params
        self._context, self._problems = context, problems
        types = schema.columns
        self._source = _Flow(types, dict.fromkeys(types, ""))
        self._flows: dict[str, _Flow] = {}

    def make(self) -> Plan | None:
        before, _ = predecessors([node.id for node in self._spec.nodes], self._spec.links)
        order, _ = topological(before)
        places = {node.id: (i, node) for i, node in enumerate(self._spec.nodes)}
        steps = [self._step(*places[name], before[name]) for name in order]
        ready = [step for step in steps if step is not None]
        fed = {name for feeders in before.values() for name in feeders}
        ends = tuple(name for name in order if name not in fed)
        final = self._joined(ends, "sink")
        fields = self._fields(final, ready, ends)
        if self._problems:
            return None
        topics = dict.fromkeys([self._spec.sink.topic, *_routed(ready)])
        return Plan(
            spec=self._spec,
            schema=self._schema,
            steps=tuple(ready),
            ends=ends,
            fields={name: final.types[name] for name in fields},
            topics=tuple(topics),
            decoder=Decoder(self._schema, _wanted(ready, fields), fields),
            encoder=Encoder(fields, merge=self._spec.sink.into == "merge"),
        )

    def _step(self, i: int, spec: NodeSpec, before: tuple[str, ...]) -> Step | None:
        flow = self._joined(before, f"nodes[{i}]")
        columns = Columns(flow.types, complete=flow.complete)
        try:
            node = kinds()[spec.type](self._params[spec.id], columns, self._context)
        except ConfigError as error:
            self._problems += [problem.within(f"nodes[{i}]") for problem in error.problems]
            self._flows[spec.id] = _Flow(flow.types, flow.writers, complete=False)
            return None
        removed, writes = set(node.signature.removes), node.signature.writes
        types = {name: kind for name, kind in flow.types.items() if name not in removed}
        writers = {name: flow.writers[name] for name in types} | dict.fromkeys(writes, spec.id)
        self._flows[spec.id] = _Flow({**types, **writes}, writers, flow.complete)
        return Step(spec.id, spec.type, node, before, self._flows[spec.id].types)

    def _joined(self, before: tuple[str, ...], path: str) -> _Flow:
        """The columns where branches meet; two last writers of one column are a problem."""
        flows = [self._flows[name] for name in before] or [self._source]
        types: dict[str, ColumnType] = {}
        writers: dict[str, str] = {}
        for flow in flows:
            for name, kind in flow.types.items():
                if writers.setdefault(name, flow.writers[name]) != flow.writers[name]:
                    owners = " and from ".join(
                        f"'{owner}'" if owner else "the source"
                        for owner in (writers[name], flow.writers[name])
                    )
                    message = f"column '{name}' comes from {owners}; Drop it in one branch"
                    self._problems.append(Problem(path, message))
                types.setdefault(name, kind)
        return _Flow(types, writers, all(flow.complete for flow in flows))

    def _fields(self, final: _Flow, steps: list[Step], ends: tuple[str, ...]) -> list[str]:
        given = self._spec.sink.fields
        if given is None:
            by_id = {step.id: step for step in steps}
            found = dict.fromkeys(name for end in ends for name in _last_written(end, by_id))
            given = [name for name in found if name in final.types]
            if not given and final.complete:
                message = "the last nodes write no column; name the fields"
                self._problems.append(Problem("sink.fields", message))
        for i, name in enumerate(given):
            known = [column for column in final.types if column != TOPIC_COLUMN]
            if name not in known and final.complete:
                message = f"no column '{name}' reaches the sink{nearest(name, known)}"
                self._problems.append(Problem(f"sink.fields[{i}]", message))
            if name in given[:i]:
                self._problems.append(Problem(f"sink.fields[{i}]", f"'{name}' is given twice"))
        return list(given)


def _last_written(end: str, steps: Mapping[str, Step]) -> Iterable[str]:
    """What the node wrote, or those before it where it only decides (Filter, Validate, Route)."""
    step = steps.get(end)
    if step is None:
        return []
    written = [name for name in step.node.signature.writes if name != TOPIC_COLUMN]
    return written or [name for before in step.before for name in _last_written(before, steps)]


def _wanted(steps: Iterable[Step], fields: Iterable[str]) -> set[str]:
    """Columns that somebody reads; the others need not be built."""
    return {name for step in steps for name in step.node.signature.reads} | set(fields)


def _routed(steps: Iterable[Step]) -> Iterable[str]:
    return [topic for step in steps for topic in step.node.topics]
