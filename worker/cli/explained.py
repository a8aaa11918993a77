"""What there is to tell about events that were scored under observation."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from worker.codec.outcome import Drop, Scored
from worker.dataset.rows import Row
from worker.errors import Fault
from worker.graph.observe import Cell, Recorder, Tensor, Visit
from worker.graph.plan import Plan, Step
from worker.graph.warm import warm
from worker.score import Timing, score


@dataclass(frozen=True, slots=True)
class Event:
    """One event, its way, and what became of it.

    Attributes:
        row: as it was read.
        decoded: the columns that entered the graph.
        visits: at each node, in the plan's order; None where it did not come.
        outcome: as `rtml score` has it.
    """

    row: Row
    decoded: tuple[Cell, ...]
    visits: tuple[tuple[Step, Visit | None], ...]
    outcome: Scored | Drop | Fault


@dataclass(frozen=True, slots=True)
class Explained:
    """Events that were scored together.

    Attributes:
        plan: the graph.
        events: in the order of the file.
        timing: of the whole batch, in seconds.
    """

    plan: Plan
    events: tuple[Event, ...]
    timing: Timing

    def data(self) -> dict[str, Any]:
        """As JSON."""
        ms = {name: round(s * 1_000, 4) for name, s in self.timing.nodes.items()}
        return {
            "graph": self.plan.spec.name,
            "milliseconds": {
                "decode": round(self.timing.decode * 1_000, 4),
                "nodes": ms,
                "encode": round(self.timing.encode * 1_000, 4),
            },
            "events": [_event(self.plan, event) for event in self.events],
        }


def explained(plan: Plan, rows: Sequence[Row], clock: Callable[[], float]) -> Explained:
    """The events scored in one batch, each step recorded.

    Args:
        plan: a valid graph.
        rows: events; those that cannot even be read pass nothing.
        clock: monotonic, in seconds.
    """
    warm(plan)
    timing = Timing()
    readable = [row for row in rows if row.fault is None]
    with Recorder(plan).watching() as recorder:
        outcomes = score(plan, [row.value for row in readable], clock, timing, recorder)
    places = {row.number: i for i, row in enumerate(readable)}
    found = dict(zip(places, outcomes, strict=True))
    events = []
    for row in rows:
        at = places.get(row.number, -1)
        visits = tuple((step, recorder.visit(step, at)) for step in plan.steps)
        outcome = row.fault or found[row.number]
        events.append(Event(row, recorder.decoded(at), visits, outcome))
    return Explained(plan, tuple(events), timing)


def plain(value: Any) -> Any:
    """A value as JSON can hold it: what is no finite number becomes text."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _event(plan: Plan, event: Event) -> dict[str, Any]:
    return {
        "row": event.row.number,
        "event": event.row.value.decode("utf-8", "backslashreplace"),
        "decoded": [_cell(cell) for cell in event.decoded],
        "nodes": [_visit(step, visit) for step, visit in event.visits],
        **_outcome(plan, event.outcome),
    }


def _visit(step: Step, visit: Visit | None) -> dict[str, Any]:
    about: dict[str, Any] = {"id": step.id, "type": step.kind, "after": list(step.before)}
    if visit is None:
        return about | {"reached": False}
    decision = visit.decision
    about |= {
        "reached": True,
        "read": [_cell(cell) for cell in visit.read],
        "wrote": [
            {
                **_cell(change.after),
                "new": change.before is None,
                "before": None if change.before is None else plain(change.before.value),
            }
            for change in visit.wrote
        ],
        "removed": list(visit.removed),
        "decision": None,
    }
    if decision is not None:
        kind = "dropped" if decision.stage is None else "rejected"
        about["decision"] = {"is": kind, "reason": decision.reason, "stage": decision.stage}
        about["decision"]["message"] = decision.message
    if visit.inputs:
        about["model"] = ", ".join(step.node.models)
        about["inputs"] = [_tensor(tensor) for tensor in visit.inputs]
        about["outputs"] = [_tensor(tensor) for tensor in visit.outputs]
    return about


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "column": cell.column,
        "type": str(cell.type),
        "value": plain(cell.value),
        "missing": cell.value is None,
    }


def _tensor(tensor: Tensor) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "dtype": tensor.dtype,
        "shape": list(tensor.values.shape),
        "values": plain(tensor.values.tolist()),
    }


def _outcome(plan: Plan, outcome: Scored | Drop | Fault) -> dict[str, Any]:
    if isinstance(outcome, Scored):
        topic = outcome.topic or plan.spec.sink.topic
        return {"outcome": "scored", "topic": topic, "record": outcome.value.decode()}
    if isinstance(outcome, Drop):
        return {"outcome": "dropped", "reason": outcome.reason, "node": outcome.node}
    return {
        "outcome": "rejected",
        "stage": outcome.stage,
        "node": outcome.node,
        "error": outcome.error,
        "message": outcome.message,
    }


def short(value: Any, most: int = 60) -> str:
    """A value on part of a line."""
    text = json.dumps(plain(value), ensure_ascii=False)
    return text if len(text) <= most else f"{text[: most - 3]}..."
