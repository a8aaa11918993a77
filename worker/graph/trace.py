"""The plan as rows: event field -> nodes -> model input -> output field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from worker.batch import ColumnType
from worker.graph.lineage import Lineage, Sources, decides_only, incoming
from worker.graph.plan import Plan
from worker.models.tensors import Tensor
from worker.nodes._onnx_binding import feeds
from worker.nodes.base import Columns
from worker.nodes.onnx_node import ONNXNode


@dataclass(frozen=True, slots=True)
class Way:
    """How a value came here.

    Attributes:
        origin: an event field, or a model's output as ``<node>.<output>``.
        nodes: ids of the nodes on the way, in the plan's order.
    """

    origin: str
    nodes: tuple[str, ...]

    def __str__(self) -> str:
        return " -> ".join((self.origin, *self.nodes))


@dataclass(frozen=True, slots=True)
class Feature:
    """One column that feeds a model.

    Attributes:
        column: its name.
        type: its type.
        start: its first position among the values of the input, per event.
        ways: where it comes from.
    """

    column: str
    type: ColumnType
    start: int
    ways: tuple[Way, ...]

    @property
    def position(self) -> str:
        """``4``, or ``0-63`` for a vector."""
        length = self.type.length or 1
        return str(self.start) if length == 1 else f"{self.start}-{self.start + length - 1}"


@dataclass(frozen=True, slots=True)
class ModelInput:
    """One input of one model.

    Attributes:
        node: id of the node that runs the model.
        model: as lineage shows it: the file, or name@version.
        tensor: the input.
        features: in the order in which they feed it.
    """

    node: str
    model: str
    tensor: Tensor
    features: tuple[Feature, ...]


@dataclass(frozen=True, slots=True)
class Output:
    """One field that the sink writes, and where it comes from."""

    field: str
    type: ColumnType
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class Rest:
    """An event field that reaches no model and no output.

    Attributes:
        field: the event field.
        type: its type.
        readers: ids of the nodes that look at it, or at what was made of it.
    """

    field: str
    type: ColumnType
    readers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """A plan's rows."""

    inputs: tuple[ModelInput, ...]
    outputs: tuple[Output, ...]
    rest: tuple[Rest, ...]


def trace(plan: Plan) -> Trace:
    """Where everything in the plan comes from."""
    lineage = Lineage(plan)
    inputs = tuple(_inputs(plan, lineage))
    final = lineage.at_the_sink()
    outputs = tuple(
        Output(name, kind, _ways(plan, final[name])) for name, kind in plan.fields.items()
    )
    return Trace(inputs, outputs, tuple(_rest(plan, lineage, inputs, outputs)))


def _inputs(plan: Plan, lineage: Lineage) -> Iterator[ModelInput]:
    for step in plan.steps:
        if not isinstance(step.node, ONNXNode):
            continue
        entering, types = lineage.entering(step.id), incoming(plan, step)
        node = step.node
        for feed in feeds(Columns(types), node.session, node.params.features):
            features, start = [], 0
            for name in feed.columns:
                ways = _ways(plan, entering[name])
                features.append(Feature(name, types[name], start, ways))
                start += types[name].length or 1
            yield ModelInput(step.id, node.session.name, feed.tensor, tuple(features))


def _ways(plan: Plan, sources: Sources) -> tuple[Way, ...]:
    order = [step.id for step in plan.steps]
    return tuple(
        Way(origin, tuple(sorted(nodes, key=order.index))) for origin, nodes in sources.items()
    )


def _rest(
    plan: Plan,
    lineage: Lineage,
    inputs: tuple[ModelInput, ...],
    outputs: tuple[Output, ...],
) -> Iterator[Rest]:
    used = {way.origin for row in inputs for feature in row.features for way in feature.ways}
    used |= {way.origin for output in outputs for way in output.ways}
    for field, kind in plan.schema.columns.items():
        if field not in used:
            yield Rest(field, kind, tuple(_readers(plan, lineage, field)))


def _readers(plan: Plan, lineage: Lineage, field: str) -> Iterator[str]:
    for step in plan.steps:
        entering = lineage.entering(step.id)
        looked_at = (entering[name] for name in step.node.signature.reads)
        if decides_only(step.node) and any(field in sources for sources in looked_at):
            yield step.id
