"""What each node saw of an event and made of it, recorded while a batch is scored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.batch import Batch, ColumnType
from worker.errors import Stage
from worker.graph.plan import Plan, Step
from worker.nodes.onnx_node import ONNXNode


@dataclass(frozen=True, slots=True)
class Cell:
    """One column's value for one event; ``value`` is None where it is missing."""

    column: str
    type: ColumnType
    value: Any


@dataclass(frozen=True, slots=True)
class Change:
    """A column that a node wrote.

    Attributes:
        after: what it is now.
        before: what it was; None where there was no such column.
    """

    after: Cell
    before: Cell | None


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input of a model as it was fed, or an output as it came, for one event.

    Attributes:
        name: as the model calls it.
        dtype: numpy's name.
        values: ``(...)``, without the batch axis.
    """

    name: str
    dtype: str
    values: NDArray[Any]


@dataclass(frozen=True, slots=True)
class Decision:
    """That a node took the event out; without a stage it was dropped on purpose."""

    reason: str
    stage: Stage | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """One event at one node.

    Attributes:
        step: the node.
        read: the columns it looked at.
        wrote: the columns it made.
        removed: the columns it took away.
        decision: None where the event goes on.
        inputs: of the model, if it runs one.
        outputs: of the model.
    """

    step: Step
    read: tuple[Cell, ...]
    wrote: tuple[Change, ...]
    removed: tuple[str, ...]
    decision: Decision | None
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


@dataclass(frozen=True, slots=True)
class _Seen:
    fed: Batch
    made: Batch
    inputs: Mapping[str, NDArray[Any]]
    outputs: Mapping[str, NDArray[Any]]


class Recorder:
    """An observer that remembers everything; for a few events, not for a stream."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._seen: dict[str, list[_Seen]] = {step.id: [] for step in plan.steps}
        self._run: dict[str, tuple[Mapping[str, NDArray[Any]], Mapping[str, NDArray[Any]]]] = {}

    def __call__(self, step: Step, fed: Batch, made: Batch | None) -> None:
        """Told by the runner after each node."""
        inputs, outputs = self._run.pop(step.id, ({}, {}))
        if made is not None:
            self._seen[step.id].append(_Seen(fed, made, inputs, outputs))

    @contextmanager
    def watching(self) -> Iterator[Recorder]:
        """What models are fed and give is remembered within."""
        nodes = [(step.id, step.node) for step in self._plan.steps]
        models = [(name, node) for name, node in nodes if isinstance(node, ONNXNode)]
        for name, node in models:
            node.session.watch = partial(self._note, name)
        try:
            yield self
        finally:
            for _, node in models:
                node.session.watch = None

    def _note(
        self, step: str, feeds: Mapping[str, NDArray[Any]], found: Mapping[str, NDArray[Any]]
    ) -> None:
        self._run[step] = feeds, found

    def decoded(self, row: int) -> tuple[Cell, ...]:
        """The event's columns as they entered the graph; none where it could not be read."""
        for step in self._plan.steps:
            if not step.before and (found := self._find(step, row)) is not None:
                seen, i = found
                return tuple(_cell(seen.fed, name, i) for name in seen.fed.columns)
        return ()

    def visit(self, step: Step, row: int) -> Visit | None:
        """The event at a node; None where it did not come there, or the node broke on it."""
        found = self._find(step, row)
        if found is None:
            return None
        seen, i = found
        fed, made, signature = seen.fed, seen.made, step.node.signature
        written = [name for name in signature.writes if name in made.columns]
        return Visit(
            step,
            tuple(_cell(fed, name, i) for name in signature.reads if name in fed.columns),
            tuple(
                Change(_cell(made, name, i), _cell(fed, name, i) if name in fed.columns else None)
                for name in written
            ),
            tuple(name for name in fed.columns if name not in made.columns),
            _decision(made, i),
            tuple(_tensor(name, values, i) for name, values in seen.inputs.items()),
            tuple(_tensor(name, values, i) for name, values in seen.outputs.items()),
        )

    def runs(self, step: str) -> tuple[Batch, Mapping[str, NDArray[Any]]] | None:
        """What a model's node was fed the first time, and the outputs; None where it never ran."""
        for seen in self._seen[step]:
            if seen.outputs:
                return seen.fed, seen.outputs
        return None

    def _find(self, step: Step, row: int) -> tuple[_Seen, int] | None:
        for seen in self._seen[step.id]:
            i = int(np.searchsorted(seen.fed.rows, row))
            if i < len(seen.fed) and seen.fed.rows[i] == row:
                return seen, i
        return None


def _cell(batch: Batch, name: str, i: int) -> Cell:
    column = batch[name]
    return Cell(name, column.type, column.take(np.array([i])).to_list()[0])


def _tensor(name: str, values: NDArray[Any], i: int) -> Tensor:
    dtype = "text" if values.dtype == object else str(values.dtype)
    return Tensor(name, dtype, values[i])


def _decision(made: Batch, i: int) -> Decision | None:
    """The first rejection, else the first drop: the runner decides alike."""
    found = [mark for mark in made.marks if mark.rows[i]]
    if not found:
        return None
    mark = next((mark for mark in found if mark.stage is not None), found[0])
    message = mark.message(int(mark.rows[:i].sum())) if mark.stage is not None else ""
    return Decision(mark.reason, mark.stage, message)
