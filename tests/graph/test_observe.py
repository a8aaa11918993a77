"""Observing: what each node saw and made is what really went through, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.graph import fragile
from tests.graph.fragile import POISON
from tests.graph.support import graph, node, planned
from worker.errors import Stage
from worker.graph.observe import Decision, Recorder, Visit
from worker.graph.plan import Plan
from worker.nodes.onnx_node import ONNXNode
from worker.score import score

MODEL = node(
    "m", "ONNXNode", model="lr.onnx", features=["a", "b"], outputs={"s": "probabilities[1]"}
)


@pytest.fixture(autouse=True, scope="module")
def _fragile_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A package with nodes that break is installed."""
    folder: Path = tmp_path_factory.mktemp("site")
    with fragile.installed(folder):
        yield


def observed(nodes: list[dict[str, Any]], *events: bytes, **rest: Any) -> tuple[Plan, Recorder]:
    """A recorder that has seen these events, and that the outcomes were those without it."""
    plan = planned(graph(*nodes, **rest))
    with Recorder(plan).watching() as recorder:
        outcomes = list(score(plan, events, observer=recorder))
    assert outcomes == list(score(plan, events))
    return plan, recorder


def visit(plan: Plan, recorder: Recorder, name: str, row: int) -> Visit | None:
    """One event at the node of that id."""
    (step,) = [step for step in plan.steps if step.id == name]
    return recorder.visit(step, row)


def test_values_before_and_after_are_told() -> None:
    """What a node read, and each column that it wrote with what stood there before."""
    nodes = [
        node("fill", "FillNa", columns={"a": 7.0}),
        node("copy", "Copy", columns={"b": "c"}),
        node("drop", "Drop", columns=["b"]),
    ]
    plan, seen = observed(
        nodes, b'{"b": 0}', b'{"a": 1, "b": 2}', sink={"topic": "o", "fields": ["a"]}
    )
    filled = visit(plan, seen, "fill", 0)
    assert filled is not None
    (change,) = filled.wrote
    assert (change.before and change.before.value, change.after.value) == (None, 7.0)
    assert [(cell.column, cell.value) for cell in filled.read] == [("a", None)]
    copied = visit(plan, seen, "copy", 1)
    assert copied is not None
    assert [(one.after.column, one.before) for one in copied.wrote] == [("c", None)]
    assert copied.wrote[0].after.value == 2.0
    dropped = visit(plan, seen, "drop", 1)
    assert dropped is not None
    assert (dropped.removed, dropped.decision) == (("b",), None)
    assert {cell.column: cell.value for cell in seen.decoded(0)} == {"a": None, "b": 0.0}


def test_decisions_are_told_where_they_fall() -> None:
    """Dropped, rejected with its own message, or not there any more; others go on."""
    nodes = [
        node("low", "Filter", column="a", op="gt", value=0, reason="low_a"),
        node("high", "Validate", rules={"a": {"max": 50}}),
        MODEL,
    ]
    events = [b'{"a": -1, "b": 1}', b'{"a": 1, "b": 1}', b'{"a": 51, "b": 1}', b'{"a": 52, "b": 1}']
    plan, seen = observed(nodes, *events)
    found = [visit(plan, seen, "low", row) for row in range(4)]
    assert [one and one.decision for one in found] == [Decision("low_a"), None, None, None]
    found = [visit(plan, seen, "high", row) for row in range(4)]
    assert found[0] is None
    decisions = [one.decision for one in found[1:] if one]
    assert [one and (one.reason, one.stage, one.message[:15]) for one in decisions] == [
        None,
        ("RangeError", Stage.VALIDATE, "column 'a': 51."),
        ("RangeError", Stage.VALIDATE, "column 'a': 52."),
    ]
    assert [visit(plan, seen, "m", row) is not None for row in range(4)] == [
        False,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("n", [1, 3])
def test_the_models_inputs_are_those_that_were_fed(n: int) -> None:
    """In the model's dtype and order, for each event its own, also where a batch is padded."""
    events = [b'{"a": %d, "b": 0.1}' % i for i in range(n)]
    plan, seen = observed([MODEL], *events)
    for row in range(n):
        found = visit(plan, seen, "m", row)
        assert found is not None
        (fed,), (gave,) = found.inputs, found.outputs
        assert (fed.dtype, fed.values.tolist()) == ("float32", [row, float(np.float32(0.1))])
        assert (gave.name, gave.values.shape) == ("probabilities", (2,))
        assert gave.values[1] == found.wrote[0].after.value


def test_nobody_watches_afterwards() -> None:
    """The session is let go, so that nothing is remembered that nobody asks for."""
    plan, _ = observed([MODEL], b'{"a": 1, "b": 1}')
    sessions = [step.node.session for step in plan.steps if isinstance(step.node, ONNXNode)]
    assert [session.watch for session in sessions] == [None]


def test_a_node_that_breaks_is_seen_where_it_did_not() -> None:
    """The guilty event has no visit; its neighbours, run in halves, have theirs."""
    nodes = [node("f", "Fragile", column="a"), MODEL]
    events = [b'{"a": 1, "b": 1}', b'{"a": %d, "b": 1}' % POISON, b'{"a": 3, "b": 1}']
    plan, seen = observed(nodes, *events)
    assert [visit(plan, seen, "f", row) is not None for row in range(3)] == [True, False, True]
    assert [visit(plan, seen, "m", row) is not None for row in range(3)] == [True, False, True]
