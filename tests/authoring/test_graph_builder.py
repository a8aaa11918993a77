"""GraphBuilder: nodes and edges to JSON text, and back."""

from __future__ import annotations

import json
import xml.dom.minidom
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.authoring.support import problems
from worker.authoring import (
    DataMsg,
    GraphBuilder,
    JsonToDataframe,
    ModelUpload,
    Node,
    NodeFactory,
    ONNXNode,
    Pandas,
    ScikitLearn,
    Simulator,
    Split,
)
from worker.authoring.node import need_message
from worker.errors import ConfigError
from worker.graph.complete import complete
from worker.graph.dsl import parse_dsl
from worker.graph.spec import parse
from worker.nodes.registry import kinds

SCHEMA = {"type": "object", "properties": {"a": {"type": "number"}}}


def chain(*nodes: Node) -> str:
    """The graph of nodes one after the other."""
    edges = [(nodes[i], nodes[i + 1]) for i in range(len(nodes) - 1)]
    return GraphBuilder.generate_dsl(nodes=nodes, edges=edges)


def inner(dsl: str) -> dict[str, Any]:
    """What stands in the envelope."""
    found: dict[str, Any] = json.loads(dsl)["edge"]["applicationDsl"]
    return found


def refused(*nodes: Any, edges: Any = None) -> list[str]:
    """Why there is no graph of these."""
    with pytest.raises(ConfigError) as caught:
        GraphBuilder.generate_dsl(nodes=nodes, edges=edges)
    return problems(caught.value)


def fill(cols: str, value: Any = 0) -> Pandas:
    """A constant for what is missing."""
    return Pandas(params={"import": "fillna", "kwargs": {"value": value}, "cols": cols})


def test_the_envelope() -> None:
    """Nodes with ids that say what they do, and edges between them."""
    dsl = chain(JsonToDataframe(), fill("age"), fill("age"), fill("km"))
    assert [node["id"] for node in inner(dsl)["nodes"]] == [
        "json_to_dataframe",
        "fillna_age",
        "fillna_age_2",
        "fillna_km",
    ]
    assert inner(dsl)["nodes"][1] == {
        "id": "fillna_age",
        "type": "Pandas",
        "params": {"import": "fillna", "kwargs": {"value": 0}, "cols": "age"},
    }
    assert inner(dsl)["edges"][0] == ["json_to_dataframe", "fillna_age"]


def test_ids_are_the_nodes_own_where_they_have_some() -> None:
    """An id that is given is kept, and no other node gets it."""
    own = Pandas(params={"import": "abs", "cols": "a"}, id="abs_b")
    dsl = chain(Pandas(params={"import": "abs", "cols": "b"}), own)
    assert [node["id"] for node in inner(dsl)["nodes"]] == ["abs_b_2", "abs_b"]


EXAMPLES = [
    NodeFactory.create(kind, one.EXAMPLE.params)
    for kind, one in kinds().items()
    if kind != "JsonToDataframe"
]


@settings(max_examples=20)
@given(st.data())
@pytest.mark.long
def test_round_trip(data: st.DataObject) -> None:
    """Generated, loaded by the worker and by the notebook, generated again: the same text."""
    chosen = data.draw(st.lists(st.sampled_from(EXAMPLES), min_size=1, max_size=7))
    nodes = [NodeFactory.create(node.kind, node.params) for node in chosen]
    pairs = [(i, j) for j in range(len(nodes)) for i in range(j)]
    picked = data.draw(st.lists(st.sampled_from(pairs), min_size=1, unique=True)) if pairs else []
    dsl = GraphBuilder.generate_dsl(nodes=nodes, edges=[(nodes[i], nodes[j]) for i, j in picked])

    assert parse_dsl(json.loads(dsl)).text() == dsl
    again, edges = GraphBuilder.from_dsl(dsl)
    assert GraphBuilder.generate_dsl(nodes=again, edges=edges) == dsl
    spec = parse(complete(dsl, "service", schema=SCHEMA))
    assert [node.id for node in spec.nodes] == [node["id"] for node in inner(dsl)["nodes"]]
    assert [list(link) for link in spec.links] == inner(dsl)["edges"]
    assert complete(dsl, "service", schema=SCHEMA) == complete(dsl, "service", schema=SCHEMA)


def test_a_graph_with_wrong_params_is_not_read() -> None:
    """Reading tells every node's problems, each with its place in the text."""
    wrong = [
        {"id": "a", "type": "Pandas", "params": {"import": "fillna", "kwargs": {"valeu": 0}}},
        {"id": "b", "type": "Clip", "params": {"columns": ["x"], "lower": 2, "upper": 1}},
    ]
    with pytest.raises(ConfigError) as caught:
        GraphBuilder.from_dsl(json.dumps({"nodes": wrong}))
    assert problems(caught.value) == [
        "nodes[0].params.kwargs.valeu: is no known key; did you mean 'value'?",
        "nodes[1].params.lower: lower 2 is above upper 1",
    ]


@pytest.mark.parametrize("function", [lambda x: x, len, np.log1p, print])
def test_functions_are_refused(function: Any) -> None:
    """A node with a function is not made; what to use instead is told."""
    with pytest.raises(ConfigError) as caught:
        Pandas(params={"import": "map", "kwargs": {"arg": function}, "cols": "a"})
    (told,) = problems(caught.value)
    assert told.startswith("kwargs.arg: a function cannot be written into a graph")
    assert "Derive" in told


def test_what_pandas_code_writes_becomes_plain() -> None:
    """Types, numpy's numbers, series as mappings, keys that are numbers, infinite edges."""
    nodes = [
        Pandas(params={"import": "astype", "kwargs": {"dtype": int}, "cols": "a"}),
        Pandas(params={"import": "astype", "kwargs": {"dtype": np.float32}, "cols": ("b",)}),
        fill("c", np.int64(3)),
        Pandas(params={"import": "map", "kwargs": {"arg": pd.Series({"x": 1})}, "cols": "d"}),
        Pandas(params={"import": "map", "kwargs": {"arg": {0: "n", 1: None}}, "cols": "e"}),
        Pandas(params={"import": "cut", "kwargs": {"bins": [0, 5.0, np.inf]}, "cols": "f"}),
    ]
    assert [node["params"].get("kwargs") for node in inner(chain(*nodes))["nodes"]] == [
        {"dtype": "int"},
        {"dtype": "float32"},
        {"value": 3},
        {"arg": {"x": 1}},
        {"arg": {"0": "n", "1": None}},
        {"bins": [0, 5.0, "inf"]},
    ]


@pytest.mark.parametrize("value", [object(), {float("nan"): 1}, b"x"])
def test_what_has_no_plain_form(value: Any) -> None:
    """Anything else is refused where the node is made."""
    with pytest.raises(ConfigError, match="JSON can hold"):
        fill("a", value)


SCIKIT = {
    "features": ["a"],
    "label": "y",
    "mode": "train",
    "model_path": "m.onnx",
    "params": {"model": "sklearn.linear_model.LogisticRegression"},
}


@pytest.mark.parametrize(
    ("node", "told"),
    [
        (Split(params={"train_size": 0.7}), "it divides training data"),
        (ScikitLearn(params=SCIKIT), "it trains while a graph is written, use ONNXNode"),
        (ModelUpload(params={"model_path": "m.onnx"}), "it stores a model"),
        (Simulator(params={"schema": SCHEMA}), "it makes events for tests"),
    ],
)
def test_what_only_a_notebook_does(node: Node, told: str) -> None:
    """Such a node in a graph is refused with a sentence."""
    (problem,) = refused(node)
    assert problem.startswith(f"nodes[0].type: no node kind '{node.kind}'; {told}")


def test_every_problem_at_once() -> None:
    """Wrong nodes and edges are all told, each with its place."""
    a, b, other = fill("a"), fill("b"), fill("c")
    assert refused(a, b, edges=[(a, other), (other, b)]) == [
        "edges[0][1]: this Pandas is none of nodes",
        "edges[1][0]: this Pandas is none of nodes",
    ]
    assert refused(a, b, edges=[("fillna_a", "fillna_q")]) == [
        "edges[0][1]: no node 'fillna_q'; did you mean 'fillna_b'?"
    ]
    assert refused(a, b, edges=[(a, b), (b, a)]) == [
        "edges: a graph has no cycles, but here is one: 'fillna_a', 'fillna_b'"
    ]
    assert refused(a, a) == ["nodes[1]: is the same as nodes[0]; make a second one"]
    assert refused() == ["nodes: a graph has 1 to 1000 nodes, not 0"]


def test_fields_that_are_asked_for_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """A column that no node makes is a field of the event: a misspelt one is seen."""
    rename = Pandas(params={"import": "rename", "kwargs": {"columns": {"_t.age": "age"}}})
    chain(rename, fill("agee"), ONNXNode(params={"features": ["age"], "model_id": "m@1"}))
    said = capsys.readouterr().out
    assert said == "fields of an event that the graph asks for: _t.age, agee\n"
    sample = JsonToDataframe(params={"json_payload": [{"_t.age": 3}]})
    chain(sample, rename, ONNXNode(params={"features": ["age"], "model_id": "m@1"}))
    assert capsys.readouterr().out == ""


def test_a_misspelt_column_is_told_before_what_follows_from_it() -> None:
    """Beside a sample, the column of `cut` is to blame, and not only `get_dummies` behind it."""
    sample = JsonToDataframe(params={"json_payload": {"age": {0: 31}}})
    bins = {"bins": [0, 40, 99], "labels": ["young", "old"]}
    cut = Pandas(params={"import": "cut", "cols": "agee", "into": "class", "kwargs": bins})
    dummies = Pandas(params={"import": "get_dummies", "cols": "class"})
    with pytest.raises(ConfigError) as caught:
        chain(sample, cut, dummies)
    first, second = problems(caught.value)
    assert first.startswith("agee: is no column of json_payload; did you mean 'age'?")
    assert second.startswith("nodes[2].params.categories: one event knows no categories")


class Own:
    """A class with ``process`` and nothing else."""

    def process(self, msg: Any = None) -> Any:
        """The message."""
        return msg


class OwnNode(Node):
    """A node that only this notebook has."""

    def process(self, msg: DataMsg | None = None, timestamp: Any = None) -> DataMsg:  # noqa: ARG002 - as nodes take it
        """The message with its rows twice."""
        frame = need_message(msg).frame
        return DataMsg(pd.concat([frame, frame]))


class OwnPandas(Pandas):
    """A kind of the worker's that does something else here."""


OWN_NODES = [Own(), OwnNode({"n": 2}), OwnPandas({"import": "abs"})]


@pytest.mark.parametrize("node", OWN_NODES, ids=lambda node: type(node).__name__)
def test_a_class_of_the_notebook_is_no_part_of_a_graph(node: Any) -> None:
    """It is told that workers do not have it, which kinds they have, and how one is added."""
    (told,) = refused(fill("a"), node)
    assert told.startswith(f"nodes[1]: is of the class {type(node).__name__}, which the workers do")
    assert all(part in told for part in ("Kinds: Arithmetic, Cast", "rtml.nodes", "notebook.md"))
    assert refused(3) == ["nodes[0]: is int, and no node"]


def test_a_node_of_the_notebook_works_there() -> None:
    """It has params, a kind and a message, as the others have."""
    node = OwnNode({"n": 2})
    assert (node.kind, node.params) == ("OwnNode", {"n": 2})
    assert len(node.process(DataMsg(pd.DataFrame({"a": [1]}))).frame) == 2
    with pytest.raises(NotImplementedError, match="Half needs a method process"):
        type("Half", (Node,), {})().process()


@pytest.mark.parametrize(
    ("edges", "told"),
    [
        ([], "edges: is empty, and nothing would link the nodes; give [(nodes[0], nodes[1])"),
        ([("a",)], "edges[0]: is no pair (from, to)"),
        ([fill("a")], "edges[0]: is no pair (from, to)"),
        (fill("a"), "edges: is Pandas; give [(nodes[0], nodes[1]), ...]"),
    ],
)
def test_edges_that_are_none(edges: Any, told: str) -> None:
    """What are no pairs is told as such, and that several nodes need edges."""
    (found,) = refused(fill("a"), fill("b"), edges=edges)
    assert found.startswith(told)


def test_without_edges_nodes_are_a_chain() -> None:
    """As in a graph file; one node needs none."""
    dsl = GraphBuilder.generate_dsl(nodes=[fill("a"), fill("b")])
    assert inner(dsl)["edges"] == [["fillna_a", "fillna_b"]]
    assert inner(GraphBuilder.generate_dsl([fill("a")], []))["edges"] == []


def test_a_text_that_is_none_is_told_by_line_and_column() -> None:
    """What is broken in a DSL has its place."""
    with pytest.raises(ConfigError) as caught:
        GraphBuilder.from_dsl('{"edge": {\n "a": [1,,2]}}')
    assert problems(caught.value) == [
        "DSL:2 expected the node content, but found ',', in column 10"
    ]


def test_a_notebook_shows_a_picture() -> None:
    """The text draws itself as SVG without anything from elsewhere; it stays text."""
    dsl = chain(
        JsonToDataframe(),
        fill("age"),
        ONNXNode(params={"features": ["age"], "model_id": "m@1"}),
    )
    bundle = dsl._repr_mimebundle_()  # type: ignore[attr-defined]
    svg = bundle["image/svg+xml"]
    assert xml.dom.minidom.parseString(svg).documentElement.tagName == "svg"
    assert [text in svg for text in ("fillna_age", "m@1", "scored events", "<script", "href")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert bundle["text/plain"] == dsl
    assert isinstance(dsl, str)
