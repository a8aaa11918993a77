"""Which types the events' fields must have, so that a graph without a schema can work on them.

A column that a node asks for, and that no node before it has made, is a field of the event. Its
type is tried: what fits is every type with which as many nodes as possible can be built.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from worker.batch import ANY, NUMBERS, ColumnType, DType
from worker.errors import ConfigError, Problem
from worker.graph.dsl import Dsl
from worker.graph.flow import words
from worker.graph.order import predecessors, topological
from worker.nodes.base import Columns, Context, Params
from worker.nodes.onnx_node import ONNXNodeParams
from worker.nodes.registry import kinds

_TRIED = (DType.FLOAT64, DType.TEXT, DType.INT64, DType.BOOL, DType.DATETIME)
_SCORE = ColumnType(DType.FLOAT32)
_FEATURES = NUMBERS | {DType.BOOL}


class _Asking(Columns):
    """Columns that note which names a node asks for and are not there."""

    def __init__(self, types: Mapping[str, ColumnType], gone: set[str], *, closed: bool) -> None:
        super().__init__(types, complete=closed)
        self._gone = gone
        self.asked: dict[str, None] = {}

    def need(
        self,
        path: str,
        name: str,
        dtypes: Iterable[DType] = ANY,
        *,
        vector: bool | None = False,
        place: str = "",
    ) -> ColumnType:
        """The column's type; one that nobody has made or taken away is asked of the event."""
        if name not in self and name not in self._gone:
            self.asked[name] = None
        return super().need(path, name, dtypes, vector=vector, place=place)


@dataclass(slots=True)
class _Flow:
    """The columns at one point.

    Attributes:
        types: by name.
        gone: fields of the event that are no longer there.
        open: further columns may be there: a model's outputs, or those of a node that failed.
        broken: a node before could not be built.
    """

    types: dict[str, ColumnType]
    gone: set[str] = field(default_factory=set)
    open: bool = False
    broken: bool = False


@dataclass(slots=True)
class Attempt:
    """What came of one assignment of types.

    Attributes:
        flows: behind each node, by its id.
        asked: fields that were asked for beyond those assigned; True where only as a feature.
        built: how many nodes could be built, of which none before had failed.
        problems: what is wrong with the others.
    """

    flows: dict[str, _Flow] = field(default_factory=dict)
    asked: dict[str, bool] = field(default_factory=dict)
    built: int = 0
    problems: list[Problem] = field(default_factory=list)


class Inference:
    """The fields of a graph's events.

    Attributes:
        types: field -> a type with which the graph works.
        fits: field -> every type with which it does.
    """

    def __init__(
        self, dsl: Dsl, params: Mapping[str, Params], known: Mapping[str, DType] | None = None
    ) -> None:
        """Finds the fields and their types.

        Args:
            dsl: nodes and edges, without structural problems.
            params: of each node, validated.
            known: fields that are there anyhow, such as those of a sample.
        """
        self._dsl, self._params = dsl, params
        self._before, _ = predecessors([node.id for node in dsl.nodes], dsl.links)
        self._order, _ = topological(self._before)
        self._nodes = {node.id: (i, node) for i, node in enumerate(dsl.nodes)}
        self.types: dict[str, DType] = dict(known or {})
        features: set[str] = set()
        while asked := self.attempt().asked:
            for name, only in asked.items():
                self.types[name] = DType.FLOAT64
                features |= {name} if only else set()
            for name, only in asked.items():
                if not only:
                    self.types[name] = self._fitting(name)[0]
        self.fits: dict[str, frozenset[DType]] = {}
        for _ in range(2):  # the first round sees types of others that may still change
            for name in self.types:
                found = list(_TRIED[:1]) if name in features else self._fitting(name)
                if self.types[name] not in found:
                    self.types[name] = found[0]
                self.fits[name] = frozenset(_FEATURES if name in features else found)

    def _fitting(self, name: str) -> list[DType]:
        """The types of a field with which the graph gets farthest, the others as they are."""
        kept, reached = self.types[name], {}
        for dtype in _TRIED:
            self.types[name] = dtype
            done = self.attempt()
            reached[dtype] = (done.built, -len(done.problems))
        self.types[name] = kept
        best = max(reached.values())
        return [dtype for dtype in _TRIED if reached[dtype] == best]

    def attempt(self) -> Attempt:
        """The graph with the types as they are now."""
        done = Attempt()
        source = _Flow({name: ColumnType(dtype) for name, dtype in self.types.items()})
        for name in self._order:
            flow = _joined([done.flows[b] for b in self._before[name]] or [source])
            if isinstance(self._params[name], ONNXNodeParams):
                done.flows[name] = self._scored(name, flow, done)
            else:
                done.flows[name] = self._built(name, flow, done)
        return done

    def _built(self, name: str, flow: _Flow, done: Attempt) -> _Flow:
        i, spec = self._nodes[name]
        columns = _Asking(flow.types, flow.gone, closed=not flow.open)
        try:
            node = kinds()[spec.type](self._params[name], columns, Context(folder=None))
        except ConfigError as error:
            self._ask(columns.asked, flow, done, features=False)
            if not flow.broken:
                done.problems += [problem.within(f"nodes[{i}]") for problem in error.problems]
            named = set(words(spec.params))
            if not columns.asked and named.isdisjoint(flow.types):  # it works on the whole frame
                return _Flow(flow.types, flow.gone, flow.open, broken=True)
            kept = {column: kind for column, kind in flow.types.items() if column not in named}
            return _Flow(kept, flow.gone, open=True, broken=True)
        done.built += not flow.broken
        signature = node.signature
        kept = {n: kind for n, kind in flow.types.items() if n not in signature.removes}
        gone = (flow.gone | set(signature.removes)) - signature.writes.keys()
        return _Flow({**kept, **signature.writes}, gone, flow.open, flow.broken)

    def _scored(self, name: str, flow: _Flow, done: Attempt) -> _Flow:
        """A model is not at hand: its features are numbers, its outputs may have any name."""
        i, _ = self._nodes[name]
        params: Any = self._params[name]
        features = [*words(list(_columns(params.features)))]
        self._ask([n for n in features if n not in flow.types], flow, done, features=True)
        wrong = [n for n in features if n in flow.types and flow.types[n].dtype not in _FEATURES]
        lost = [n for n in features if n in flow.gone and n not in flow.types]
        if not flow.broken:
            done.built += not (wrong or lost)
            for column in wrong:
                message = f"'{column}' is {flow.types[column]}, and features are numbers"
                done.problems.append(Problem(f"nodes[{i}].params.features", message))
            for column in lost:
                message = f"no column '{column}' reaches this node; a node before removes it"
                done.problems.append(Problem(f"nodes[{i}].params.features", message))
        outputs = params.outputs or {}
        single = {n: _SCORE for n, output in outputs.items() if output.endswith("]")}
        kept = {n: kind for n, kind in flow.types.items() if n not in outputs}
        unknown = flow.open or not outputs or len(single) < len(outputs)
        return _Flow({**kept, **single}, flow.gone, unknown, flow.broken or bool(wrong or lost))

    def _ask(self, names: Iterable[str], flow: _Flow, done: Attempt, *, features: bool) -> None:
        """Notes fields of the event; where columns may be there that nobody knows, none are."""
        for name in names:
            if not flow.open and name not in self.types and name not in flow.gone:
                done.asked[name] = done.asked.get(name, True) and features


def _columns(features: Any) -> Iterable[Any]:
    """The columns of a list, or of the lists and names that inputs are mapped to."""
    return features.values() if isinstance(features, dict) else features


def _joined(flows: list[_Flow]) -> _Flow:
    types: dict[str, ColumnType] = {}
    for flow in flows:
        types = {**flow.types, **types}
    gone = {name for flow in flows for name in flow.gone} - types.keys()
    return _Flow(types, gone, any(f.open for f in flows), any(f.broken for f in flows))
