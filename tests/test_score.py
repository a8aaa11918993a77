"""Score: as many outcomes as events, each its own, and the model's numbers to the last bit."""

from __future__ import annotations

import gc
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.codec.strategies import nested
from tests.graph import fragile
from tests.graph.fragile import POISON
from tests.graph.support import DATA, graph, node, planned
from worker.batch import Batch
from worker.codec.outcome import Drop, Outcomes, Scored
from worker.errors import Fault, Stage
from worker.graph.plan import Plan
from worker.nodes.onnx_node import ONNXNode
from worker.score import Timing, score

Outcome = Scored | Drop | Fault


@pytest.fixture(autouse=True, scope="module")
def _fragile_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A package with nodes that break is installed."""
    folder: Path = tmp_path_factory.mktemp("site")
    with fragile.installed(folder):
        yield


LR = node(
    "score",
    "ONNXNode",
    model="lr.onnx",
    features=["a", "b"],
    outputs={"score": "probabilities[1]", "both": "probabilities", "label": "label"},
)
PASS = {"topic": "out", "fields": ["a", "n", "t", "v"]}
LOW = node("low", "Filter", column="a", op="ge", value=0, reason="low")
RANGE = node("range", "Validate", rules={"b": {"min": -5, "max": 5, "required": True}})

GRAPHS: dict[str, dict[str, Any]] = {
    "chain": graph(
        LOW,
        node("fill", "FillNa", columns={"b": 0.5}),
        LR,
        node("decide", "Threshold", column="score", at=0.5, into="alert"),
        sink={"topic": "out", "fields": ["score", "both", "label", "alert"]},
    ),
    "diamond": graph(
        node("first", "Copy", columns={"a": "c"}),
        LOW,
        RANGE,
        node("odd", "Filter", column="n", op="in", value=[1, 3], reason="even"),
        LR,
        edges=[
            ["first", "low"],
            ["first", "range"],
            ["range", "odd"],
            *([end, "score"] for end in ("low", "odd")),
        ],
    ),
    "two ends": graph(RANGE, LOW, edges=[], sink=PASS),
    "route": graph(
        node("where", "Route", column="t", topics={"x": "out-x", "y": "out"}, default="out-z"),
        LR,
    ),
    "route after rejections": graph(
        RANGE,
        node("where", "Route", column="n", topics={"1": "out-1"}),
        node("only", "Select", columns=["a", "t"]),
        sink={"topic": "out", "fields": ["t"], "into": "only"},
    ),
    "no model": graph(
        node("lower", "StringOp", column="t", op="lower"),
        node("one_hot", "OneHotEncoder", columns={"t": ["x", "y"]}, keep=True),
    ),
    "nothing written": graph(LOW, sink={"topic": "out", "fields": []}),
    "not finite": graph(LOW, sink=PASS),
    "fragile": graph(
        node("vector", "Concat", columns=["a", "b", "a"], into="w"),
        node("breaks", "Fragile", column="a"),
        node("undecided", "Undecided", column="n"),
        sink={"topic": "out", "fields": ["t"]},
    ),
}
PLANS: dict[str, Plan] = {}


def plan_of(name: str) -> Plan:
    """The plan of one of `GRAPHS`, made once."""
    if name not in PLANS:
        PLANS[name] = planned(GRAPHS[name])
    return PLANS[name]


NUMBERS = st.sampled_from([None, POISON, -1.0, 0.0, 0.5, 3, -7, 1e39, 0.1, 2.25, -0.3])
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "a": NUMBERS,
        "b": NUMBERS,
        "n": st.sampled_from([None, 0, 1, 2, 3]),
        "t": st.sampled_from([None, "x", "y", "X", "é", ""]),
        "v": st.sampled_from([None, [1, 2.5, 3], [0, 0, -0.0]]),
        "score": st.just(9),
    },
).map(lambda event: json.dumps(event).encode())
BAD = [None, b"", b"[]", b"{}", b" {} ", b'{"a":"x"}', b'{"a":NaN}', b'{"a":1}\xff', nested(5000)]
BATCHES = st.lists(st.one_of(EVENTS, EVENTS, EVENTS, st.sampled_from(BAD)), max_size=8)
every_graph = pytest.mark.parametrize("name", GRAPHS)


def scored(plan: Plan, values: list[bytes | None]) -> list[Outcome]:
    """The outcome of each value; those that have a row say their own."""
    outcomes = score(plan, values)
    listed = list(outcomes)
    assert len(outcomes) == len(listed) == len(values)
    for row, outcome in enumerate(listed):
        assert isinstance(outcome, Scored) or outcome.row == row
    return listed


def placeless(outcome: Outcome) -> Outcome:
    """The same outcome, of no row."""
    return outcome if isinstance(outcome, Scored) else replace(outcome, row=0)


@every_graph
def test_each_event_has_one_outcome_of_its_own(name: str) -> None:
    """As many outcomes as events, in their order, and no event changes another's.

    No event is in two lists or in none; a batch is its events one by one, byte for byte;
    permuted events have permuted outcomes.
    """

    @settings(max_examples=40)
    @given(BATCHES, st.randoms(use_true_random=False))
    def holds(values: list[bytes | None], order: random.Random) -> None:
        plan = plan_of(name)
        outcomes = score(plan, values)
        assert_partition(outcomes, values)
        assert (outcomes.topics is None) == (len(plan.topics) == 1)
        together = [placeless(outcome) for outcome in scored(plan, values)]
        assert together == [placeless(scored(plan, [value])[0]) for value in values]
        index = list(range(len(values)))
        order.shuffle(index)
        permuted = scored(plan, [values[i] for i in index])
        assert [placeless(outcome) for outcome in permuted] == [together[i] for i in index]

    holds()


def assert_partition(outcomes: Outcomes, values: list[bytes | None]) -> None:
    """Each event is scored, dropped or rejected; lists ascend; what is scored is JSON."""
    faults = [fault.row for fault in outcomes.faults]
    drops = [drop.row for drop in outcomes.drops]
    rows = [row for row, value in enumerate(outcomes.values) if value is not None]
    assert sorted([*rows, *faults, *drops]) == list(range(len(values)))
    assert [faults, drops] == [sorted(faults), sorted(drops)]
    assert {drop.row for drop in outcomes.drops if drop.reason == "tombstone"} == {
        row for row, value in enumerate(values) if value is None
    }
    for value in outcomes.values:
        if value is not None:
            json.loads(value, parse_constant=pytest.fail)


def rows_of(n: int, width: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Seeded float32 rows."""
    return np.random.default_rng(n).normal(size=(n, width)).astype(np.float32)


@pytest.mark.parametrize("n", [1, 7, 64, 1024])
@pytest.mark.parametrize(("model", "width"), [("lr", 2), ("trees", 4)])
def test_scores_are_onnx_runtimes_own(model: str, width: int, n: int) -> None:
    """Bit for bit, in any order of events; one event is padded to two."""
    names = [f"f{i}" for i in range(width)]
    properties = {name: {"type": "number"} for name in names}
    outputs = {"p": "probabilities", "label": "label"}
    plan = planned(
        graph(
            node("m", "ONNXNode", model=f"{model}.onnx", features=names, outputs=outputs),
            source={"topic": "in", "schema": {"type": "object", "properties": properties}},
        )
    )
    x = rows_of(n, width)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(DATA / f"{model}.onnx", options, ["CPUExecutionProvider"])
    padded = np.concatenate([x, x]) if n == 1 else x
    label, probabilities = (
        found[:n] for found in session.run(["label", "probabilities"], {"X": padded})
    )
    order = np.random.default_rng(0).permutation(n)
    events = [json.dumps(dict(zip(names, row, strict=True))).encode() for row in x[order].tolist()]
    found = [
        json.loads(outcome.value)
        for outcome in scored(plan, list(events))
        if isinstance(outcome, Scored)
    ]
    assert np.array([event["p"] for event in found], dtype=np.float32).tobytes() == (
        probabilities[order].tobytes()
    )
    assert [event["label"] for event in found] == label[order].tolist()


def test_a_batch_of_good_events_is_the_events_with_their_fields() -> None:
    """The contract's example, as bytes."""
    found = scored(
        plan_of("route"), [b'{"a":1,"b":2,"t":"x"}', b'{"a":1,"b":2,"t":"y"}\n', b'{"a":1,"b":2}']
    )
    assert all(isinstance(outcome, Scored) for outcome in found)
    values = [outcome.value for outcome in found if isinstance(outcome, Scored)]
    assert values[0].startswith(b'{"a":1,"b":2,"t":"x","score":0.9')
    assert [outcome.topic for outcome in found if isinstance(outcome, Scored)] == [
        "out-x",
        "out",
        "out-z",
    ]


@pytest.mark.parametrize("position", [0, 3, 6])
def test_a_poisonous_event_costs_itself_only(position: int) -> None:
    """Wherever it stands, its neighbours are scored as without it."""
    plan = plan_of("fragile")
    good: list[bytes | None] = [json.dumps({"a": i, "n": i, "t": "x"}).encode() for i in range(6)]
    poison = json.dumps({"a": POISON, "n": 1}).encode()
    found = scored(plan, [*good[:position], poison, *good[position:]])
    (fault,) = [outcome for outcome in found if isinstance(outcome, Fault)]
    assert (fault.row, fault.stage, fault.node) == (position, Stage.NODE, "breaks")
    others = [outcome for outcome in found if outcome is not fault]
    assert others == scored(plan, good)


@pytest.mark.parametrize(
    "poison",
    [
        b"no json",
        b'{"a": "1"}',
        b'{"t": "\xff"}',
        b'{"more":' + b"[" * 200 + b"]" * 200 + b"}",
        b'{"a": %d}' % POISON,
        None,
    ],
    ids=["malformed", "mismatch", "no UTF-8", "too deep", "breaks a node", "tombstone"],
)
def test_a_poisonous_event_leaves_no_garbage(poison: bytes | None) -> None:
    """No exception holds the batch it was raised for: page faults made all of it slower by a third.

    What only the collection of cycles would free stays until many batches later.
    """
    plan = plan_of("fragile")
    values: list[bytes | None] = [b'{"a":1,"n":2,"t":"x"}', poison, b'{"a":2,"n":3,"t":"y"}']
    score(plan, values)
    gc.collect()
    gc.disable()
    try:
        outcomes = score(plan, values)
        assert outcomes.values[1] is None
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_a_vector_with_a_hole_survives_a_broken_neighbour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Missing components stay where they were when a batch is put together from halves."""
    model = {"model": "lr.onnx", "features": ["w"], "outputs": {"p": "label"}, "missing": "nan"}
    plan = planned(
        graph(
            node("vector", "Concat", columns=["a", "n"], into="w"),
            node("breaks", "Fragile", column="b"),
            node("label", "ONNXNode", **model),
        )
    )
    session = next(step.node for step in plan.steps if isinstance(step.node, ONNXNode)).session
    run, seen = session.run, []

    def record(feeds: Any, outputs: Any) -> Any:
        seen.append(repr(feeds["X"].tolist()))
        return run(feeds, outputs)

    monkeypatch.setattr(session, "run", record)
    score(plan, [b'{"a":1,"b":0}', b'{"a":2,"n":3,"b":666}', b'{"n":4}'])
    assert seen == ["[[1.0, nan], [nan, 4.0]]"]


def test_a_rejection_beats_a_drop_across_branches() -> None:
    """In the diamond, an event that one branch drops and another rejects is a dead letter."""
    event = b'{"a":-1,"b":99,"n":1}'
    turned = dict(GRAPHS["diamond"], nodes=GRAPHS["diamond"]["nodes"][::-1])
    for data in (GRAPHS["diamond"], turned, GRAPHS["two ends"]):
        (outcome,) = scored(planned(data), [event])
        assert isinstance(outcome, Fault)
        assert (outcome.node, outcome.error) == ("range", "RangeError")


def test_no_events() -> None:
    """Nothing in, nothing out."""
    assert scored(plan_of("chain"), []) == []


def test_a_number_that_json_cannot_hold_is_rejected_where_it_is_written() -> None:
    """A column that is missing where the sink writes it is a dead letter of stage encode."""
    found = scored(plan_of("not finite"), [b'{"a":1,"n":null,"t":null}', b'{"a":1,"v":[1,2,3]}'])
    assert isinstance(found[0], Fault)
    assert (found[0].stage, found[0].error) == (Stage.ENCODE, "NotFinite")
    assert isinstance(found[1], Scored)
    assert json.loads(found[1].value) == {"a": 1, "v": [1, 2, 3], "n": None, "t": None}


def test_timing_covers_each_stage() -> None:
    """A clock gives the seconds of decoding, of each node and of encoding."""
    ticks = iter(range(1000))
    timing = Timing()
    score(plan_of("chain"), [b'{"a":1}'], lambda: float(next(ticks)), timing)
    assert timing.nodes == {"low": 1.0, "fill": 1.0, "score": 1.0, "decide": 1.0}
    assert (timing.decode, timing.encode) == (1.0, 1.0)


def test_a_plan_is_not_changed_by_use() -> None:
    """The same plan gives the same again, also after everything that can go wrong went wrong."""
    values: list[bytes | None] = [b'{"a":1,"b":1,"n":1}', None, b"x", b'{"a":-1}', b'{"b":9}']
    for name in GRAPHS:
        plan = plan_of(name)
        assert scored(plan, values) == scored(plan, values)
        assert isinstance(plan.decoder.decode([]).batch, Batch)
