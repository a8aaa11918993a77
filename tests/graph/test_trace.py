"""Where model inputs and output fields come from."""

from __future__ import annotations

from typing import Any

import pytest

from tests.graph.planning import planned
from tests.graph.support import node
from worker.graph.plan import Plan
from worker.graph.trace import Trace, trace


def inputs(found: Trace) -> list[str]:
    """Each feature as ``ways => input[position] column type``."""
    return [
        f"{', '.join(map(str, feature.ways))} => {row.node}.{row.tensor.name}[{feature.position}] "
        f"{feature.column} {feature.type}"
        for row in found.inputs
        for feature in row.features
    ]


def outputs(plan: Plan) -> dict[str, list[str]]:
    """Sink field -> its ways."""
    return {output.field: [str(way) for way in output.ways] for output in trace(plan).outputs}


def test_features_are_followed_through_nodes() -> None:
    """From the event field through every node that touches it to the position in the input."""
    plan = planned(
        [
            node("names", "Rename", columns={"tenant.age": "age", "a": "amount"}),
            node("gaps", "FillNa", columns={"age": 30, "amount": 0}),
            node("groups", "Cut", column="age", bins=[0, 30, 99], labels=["young", "old"]),
            node("dummies", "OneHotEncoder", columns={"age": ["young", "old"]}),
            node("all", "Concat", columns=["age_young", "age_old"], into="who"),
            node("score", "ONNXNode", model="trees.onnx", features=["amount", "who", "b"],
                 outputs={"score": "probabilities[1]"}),
            node("high", "Threshold", column="score", at=0.5, into="high"),
        ],
        properties={"tenant": {"properties": {"age": {"type": "integer"}}}},
    )  # fmt: skip
    found = trace(plan)
    age = "tenant.age -> names -> gaps -> groups -> dummies -> all"
    assert inputs(found) == [
        "a -> names -> gaps => score.X[0] amount float64",
        f"{age} => score.X[1-2] who float32[2]",
        "b => score.X[3] b float64",
    ]
    assert outputs(plan) == {"high": ["score.probabilities[1] -> high"]}
    assert [rest.field for rest in found.rest] == ["c"]


@pytest.mark.parametrize(
    ("kind", "params", "expected"),
    [
        (
            "Pandas",
            {"import": "fillna", "kwargs": {"value": {"a": 0, "b": 1}}, "inplace": True},
            {"a": ["a -> n"], "b": ["b -> n"]},
        ),
        (
            "Pandas",
            {"import": "add", "kwargs": {"other": "c"}, "cols": ["a", "b"], "into": ["x", "y"]},
            {"x": ["a -> n", "c -> n"], "y": ["b -> n", "c -> n"]},
        ),
        (
            "Pandas",
            {"import": "rename", "kwargs": {"columns": {"a": "x", "b": "y"}}},
            {"x": ["a -> n"], "y": ["b -> n"]},
        ),
        (
            "Pandas",
            {"import": "get_dummies", "categories": {"s": ["m"], "t": ["u"]}},
            {"s_m": ["s -> n"], "t_u": ["t -> n"]},
        ),
        (
            "Pandas",
            {"import": "sum", "cols": ["a", "b"], "into": "x", "kwargs": {"axis": 1}},
            {"x": ["a -> n", "b -> n"]},
        ),
        (
            "FieldOps",
            {"rename": {"a": "x"}, "copy": {"b": "y"}},
            {"x": ["a -> n"], "y": ["b -> n"]},
        ),
        (
            "FieldTrans",
            {"fields": {"a": {"type": "text"}, "b": {"default": 0}}},
            {"a": ["a -> n"], "b": ["b -> n"]},
        ),
    ],
)
def test_each_column_of_a_node_comes_from_its_own(
    kind: str, params: dict[str, Any], expected: dict[str, list[str]]
) -> None:
    """Columns that are changed side by side are traced each; what is made of several, to all."""
    texts = {"s": {"type": "string"}, "t": {"type": "string"}}
    assert outputs(planned([node("n", kind, **params)], properties=texts)) == expected


def test_inputs_with_names_are_traced_each() -> None:
    """A model with several inputs has a row for each, in the graph's order."""
    plan = planned(
        [
            node("pair", "Concat", columns=["a", "b"], into="pair"),
            node("add", "ONNXNode", model="two_inputs.onnx",
                 features={"b": ["a", "b", "c"], "a": "pair"}, outputs={"sum": "sum"}),
        ]
    )  # fmt: skip
    assert inputs(trace(plan)) == [
        "a => add.b[0] a float64",
        "b => add.b[1] b float64",
        "c => add.b[2] c float64",
        "a -> pair, b -> pair => add.a[0-1] pair float32[2]",
    ]


def test_a_model_can_feed_a_model() -> None:
    """What comes out of a model is the origin of what goes into the next."""
    plan = planned(
        [
            node("first", "ONNXNode", model="lr.onnx", features=["a", "b"],
                 outputs={"p": "probabilities[1]"}),
            node("second", "ONNXNode", model="lr.onnx", features=["p", "c"],
                 outputs={"q": "probabilities"}),
        ]
    )  # fmt: skip
    assert inputs(trace(plan))[2:] == [
        "first.probabilities[1] => second.X[0] p float32",
        "c => second.X[1] c float64",
    ]


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([node("r", "Rename", columns={"a": "b", "b": "a"})], {"a": ["b -> r"], "b": ["a -> r"]}),
        (
            [node("f", "FillNa", columns={"a": 1, "b": 2})],
            {"a": ["a -> f"], "b": ["b -> f"]},
        ),
        (
            [node("s", "StandardScaler", columns=["a", "b"], mean=[0, 1], scale=[1, 2])],
            {"a": ["a -> s"], "b": ["b -> s"]},
        ),
        ([node("c", "Clip", columns=["a"], lower=0)], {"a": ["a -> c"], "b": ["b"]}),
        ([node("c", "Copy", columns={"a": "b"})], {"a": ["a"], "b": ["a -> c"]}),
        (
            [node("s", "Arithmetic", left="a", op="+", right="b", into="a")],
            {"a": ["a -> s", "b -> s"], "b": ["b"]},
        ),
        (
            [node("v", "Validate", rules={"a": {"min": 0}})],
            {"a": ["a -> v"], "b": ["b"]},
        ),
        (
            [node("s", "Select", columns=["a", "b"])],
            {"a": ["a"], "b": ["b"]},
        ),
    ],
    ids=lambda value: value[0]["type"] if isinstance(value, list) else "",
)
def test_columns_are_told_apart(
    nodes: list[dict[str, object]], expected: dict[str, list[str]]
) -> None:
    """A node that works on several columns mixes them only where it computes with them."""
    assert outputs(planned(nodes, fields=["a", "b"])) == expected


def test_branches_join() -> None:
    """A column is followed through both branches of a diamond, in the plan's order."""
    plan = planned(
        [
            node("start", "Clip", columns=["a"], lower=0),
            node("left", "Copy", columns={"a": "l"}),
            node("right", "Copy", columns={"a": "r"}),
            node("sum", "Arithmetic", left="l", op="+", right="r", into="sum"),
        ],
        edges=[("start", "left"), ("start", "right"), ("left", "sum"), ("right", "sum")],
    )
    assert outputs(plan) == {"sum": ["a -> start -> left -> right -> sum"]}


def test_fields_that_only_decide_are_told() -> None:
    """An event field that reaches no model and no output says which nodes decide by it."""
    plan = planned(
        [
            node("copy", "Copy", columns={"b": "b2"}),
            node("keep", "Filter", column="b2", op="gt", value=0, reason="none"),
        ],
        fields=["a"],
    )
    assert [(rest.field, rest.readers) for rest in trace(plan).rest] == [
        ("b", ("keep",)),
        ("c", ()),
    ]


def test_a_chain_of_diamonds_stays_small() -> None:
    """Twenty diamonds have a million paths, but one way per event field."""
    nodes, edges = [node("s0", "Clip", columns=["a"], lower=0)], []
    for i in range(20):
        nodes += [
            node(f"l{i}", "Copy", columns={"a": f"x{i}"}),
            node(f"r{i}", "Copy", columns={"a": f"y{i}"}),
            node(f"s{i + 1}", "Arithmetic", left=f"x{i}", op="+", right=f"y{i}", into="a"),
        ]
        edges += [(f"s{i}", f"l{i}"), (f"s{i}", f"r{i}")]
        edges += [(f"l{i}", f"s{i + 1}"), (f"r{i}", f"s{i + 1}")]
    [way] = trace(planned(nodes, edges=edges, fields=["a"])).outputs[0].ways
    assert (way.origin, len(way.nodes)) == ("a", 61)
