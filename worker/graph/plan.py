"""A spec becomes a plan: ordered, built nodes whose columns, dtypes and shapes are proven to fit.

A plan that exists is valid. `structure` looks at the file alone; this also reads the schema and
the models beside it, and reports the problems of both phases at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from worker.batch import ColumnType
from worker.codec.decode import Decoder
from worker.codec.encode import Encoder
from worker.errors import ConfigError, Problem, nearest
from worker.graph.event_schema import event_schema
from worker.graph.flow import Flow, join, unsure, untyped
from worker.graph.needs import needed_behind, wanted
from worker.graph.order import predecessors, topological
from worker.graph.sizes import too_wide
from worker.graph.spec import GraphSpec, NodeSpec
from worker.graph.structure import edge_problems, structure
from worker.models.file import ModelFile, NoModel
from worker.nodes.base import TOPIC_COLUMN, Columns, Context, Node, Params
from worker.nodes.registry import kinds
from worker.schema import Schema


@dataclass(frozen=True, slots=True)
class Step:
    """One node in its place.

    Attributes:
        id, kind: of the node, as the graph file has them.
        node: ready to process.
        before: ids of the nodes that feed it; empty means the source.
        types: the columns that leave it.
        needed: those that are read behind it; None: all.
    """

    id: str
    kind: str
    node: Node[Any]
    before: tuple[str, ...]
    types: Mapping[str, ColumnType]
    needed: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that scoring needs, checked.

    Attributes:
        spec: the graph file.
        inline: the same with its schema inline.
        digest: SHA-256 of the graph and its schema, wherever that lies, hex.
        schema: the source's declared fields.
        steps: in an order in which each follows those that feed it.
        ends: ids of the last nodes, which feed the sink.
        fields: the columns the sink writes, with their types.
        topics: every topic a scored record can go to, the sink's own first.
    """

    spec: GraphSpec
    inline: GraphSpec
    digest: str
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


def plan(
    spec: GraphSpec,
    folder: Path | None,
    models: Mapping[str, ModelFile | NoModel] | None = None,
    *,
    wired: bool = True,
) -> Plan:
    """Both phases: the plan of a graph.

    Args:
        spec: the graph file.
        folder: its files lie in it; None where it has none.
        models: what was found for models that do not lie there, by the names in the graph.
        wired: False where edges are left out, so that columns cannot be followed.

    Raises:
        ConfigError: every problem, with its path in the graph.
    """
    params, problems = structure(spec)
    schema, inline = None, spec
    try:
        schema, inline = event_schema(spec, folder)
    except ConfigError as error:
        problems += error.problems
    if not wired or edge_problems(spec):
        raise ConfigError(problems)
    made = _Maker(inline, schema, params, Context(folder, models or {}), problems).make(spec)
    if made is None:
        raise ConfigError(problems)
    return made


class _Maker:
    """Builds the steps of one graph in order and collects what does not fit."""

    def __init__(
        self,
        spec: GraphSpec,
        schema: Schema | None,
        params: Mapping[str, Params],
        context: Context,
        problems: list[Problem],
    ) -> None:
        self._spec, self._schema, self._params = spec, schema, params
        self._context, self._problems = context, problems
        types = schema.columns if schema is not None else {}
        self._source = Flow(types, dict.fromkeys(types, ""), complete=schema is not None)
        self._flows: dict[str, Flow] = {}

    def make(self, spec: GraphSpec) -> Plan | None:
        before, _ = predecessors([node.id for node in self._spec.nodes], self._spec.links)
        order, _ = topological(before)
        places = {node.id: (i, node) for i, node in enumerate(self._spec.nodes)}
        steps = [self._step(*places[name], before[name]) for name in order]
        ready = [step for step in steps if step is not None]
        fed = {name for feeders in before.values() for name in feeders}
        ends = tuple(name for name in order if name not in fed)
        final = self._joined(ends, "sink")
        fields = self._fields(final, ready, ends)
        if self._problems or self._schema is None:
            return None
        topics = dict.fromkeys([self._spec.sink.topic, *_routed(ready)])
        nodes = [step.node for step in ready]
        needed = needed_behind(nodes, fields)
        return Plan(
            spec=spec,
            inline=self._spec,
            digest=self._spec.digest,
            schema=self._schema,
            steps=tuple(replace(s, needed=n) for s, n in zip(ready, needed, strict=True)),
            ends=ends,
            fields={name: final.types[name] for name in fields},
            topics=tuple(topics),
            decoder=Decoder(self._schema, wanted(nodes, fields), fields),
            encoder=Encoder(
                fields,
                merge=self._spec.sink.into == "merge",
                empty=not any(member.required for member in self._schema.root.members.values()),
            ),
        )

    def _step(self, i: int, spec: NodeSpec, before: tuple[str, ...]) -> Step | None:
        flow = self._joined(before, f"nodes[{i}]")
        try:
            node = self._built(spec, flow)
        except ConfigError as error:
            self._problems += [problem.within(f"nodes[{i}]") for problem in error.problems]
            self._flows[spec.id] = self._behind(spec, flow)
            return None
        removed, writes = set(node.signature.removes), node.signature.writes
        types = {name: kind for name, kind in flow.types.items() if name not in removed}
        others = flow.untyped - removed - set(writes)
        writers = {name: flow.writers[name] for name in (*types, *others)}
        writers |= dict.fromkeys(writes, spec.id)
        self._flows[spec.id] = Flow({**types, **writes}, writers, flow.complete, others)
        if wide := too_wide(types, writes):
            self._problems.append(Problem(f"nodes[{i}]", wide))
        return Step(spec.id, spec.type, node, before, self._flows[spec.id].types)

    def _behind(self, spec: NodeSpec, flow: Flow) -> Flow:
        """What is known behind a node that could not be checked."""
        params = self._params.get(spec.id)
        columns = kinds()[spec.type].always_writes(params) if params is not None else None
        return unsure(flow, spec.params) if columns is None else untyped(flow, columns, spec.id)

    def _built(self, spec: NodeSpec, flow: Flow) -> Node[Any]:
        """The node, ready; the reserved topic column is hidden from all of them.

        Raises:
            ConfigError: what does not fit; nothing where phase one has already said it.
        """
        if spec.id not in self._params:
            raise ConfigError(())
        types = {name: kind for name, kind in flow.types.items() if name != TOPIC_COLUMN}
        columns = Columns(types, complete=flow.complete, untyped=flow.untyped)
        node = kinds()[spec.type](self._params[spec.id], columns, self._context)
        own = {self._spec.source.topic, self._spec.dead_letter_topic}
        taken = [topic for topic in dict.fromkeys(node.topics) if topic in own]
        if taken:
            names = ", ".join(f"'{topic}'" for topic in taken)
            message = f"{names}: the source's and the dead-letter topic take no scored events"
            raise ConfigError(Problem("params", message))
        return node

    def _joined(self, before: tuple[str, ...], path: str) -> Flow:
        flow, conflicts = join([self._flows[name] for name in before] or [self._source])
        self._problems += [Problem(path, conflict) for conflict in conflicts]
        return flow

    def _fields(self, final: Flow, steps: list[Step], ends: tuple[str, ...]) -> list[str]:
        given = self._spec.sink.fields
        if given is None:
            by_id = {step.id: step for step in steps}
            found = dict.fromkeys(_last_written(ends, by_id))
            given = [name for name in found if name in final.types]
            if not given and final.complete and not final.untyped:
                message = "the last nodes write no column; name the fields"
                self._problems.append(Problem("sink.fields", message))
        for i, name in enumerate(given):
            there = [*final.types, *sorted(final.untyped)]
            known = [column for column in there if column != TOPIC_COLUMN]
            if name not in known and final.complete:
                message = f"no column '{name}' reaches the sink{nearest(name, known)}"
                self._problems.append(Problem(f"sink.fields[{i}]", message))
            if name in given[:i]:
                self._problems.append(Problem(f"sink.fields[{i}]", f"'{name}' is given twice"))
        return list(given)


def _last_written(ends: Iterable[str], steps: Mapping[str, Step]) -> list[str]:
    """What the ends wrote, or those before where they only decide (Filter, Validate, Route)."""
    found: list[str] = []
    waiting = list(reversed([*ends]))
    seen = set(waiting)
    while waiting:
        step = steps.get(waiting.pop())
        if step is None:
            continue
        written = [name for name in step.node.signature.writes if name != TOPIC_COLUMN]
        before = [] if written else [name for name in step.before if name not in seen]
        found += written
        seen.update(before)
        waiting += reversed(before)
    return found


def _routed(steps: Iterable[Step]) -> Iterable[str]:
    return [topic for step in steps for topic in step.node.topics]
