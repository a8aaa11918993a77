"""Plan: what exists is valid, and what is wrong is told at once, each mistake once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.graph.support import DATA, FIELDS, graph, node, planned
from worker.errors import ConfigError
from worker.nodes.registry import kinds

LR = node("score", "ONNXNode", model="lr.onnx", features=["a", "b"], outputs={"s": "label"})


def problems(data: dict[str, Any], folder: Path = DATA) -> list[str]:
    """``path: message`` of everything that is wrong with a graph."""
    with pytest.raises(ConfigError) as caught:
        planned(data, folder)
    return [str(problem) for problem in caught.value.problems]


def paths(data: dict[str, Any], folder: Path = DATA) -> list[str]:
    """The places of everything that is wrong with a graph."""
    return [problem.partition(": ")[0] for problem in problems(data, folder)]


def chain(*nodes: dict[str, Any], **sink: Any) -> dict[str, Any]:
    """A graph that writes column a."""
    return graph(*nodes, sink={"topic": "out", "fields": ["a"], **sink})


def test_a_plan_knows_its_order_columns_and_topics() -> None:
    """Steps in order with the columns that leave them, fields with types, the ends."""
    made = planned(
        graph(
            node("late", "Concat", columns=["a2", "b"], into="both"),
            node("early", "Copy", columns={"a": "a2"}),
            node("side", "Select", columns=["t"]),
            edges=[["early", "late"]],
            sink={"topic": "out", "fields": ["both", "t"]},
        )
    )
    assert [step.id for step in made.steps] == ["early", "late", "side"]
    assert (made.ends, made.topics) == (("late", "side"), ("out",))
    assert {name: str(kind) for name, kind in made.fields.items()} == {
        "both": "float32[2]",
        "t": "text",
    }
    assert list(made.steps[0].types) == ["a", "b", "n", "t", "v", "a2"]
    assert list(made.steps[2].types) == ["t"]


def test_fields_default_to_what_the_last_nodes_wrote() -> None:
    """Through nodes that only decide, and from every end."""
    copies = [node(f"c{i}", "Copy", columns={"a": f"a{i}"}) for i in (1, 2)]
    decide = node("keep", "Filter", column="a1", op="gt", value=0, reason="low")
    route = node("route", "Route", column="t", topics={"x": "other"})
    made = planned(graph(*copies, decide, route, edges=[["c1", "keep"], ["keep", "route"]]))
    assert set(made.fields) == {"a1", "a2"}
    assert made.topics == ("out", "other")


def test_a_decision_that_is_never_taken_twice() -> None:
    """Thirty diamonds of filters are looked through once, not along each of 2^30 ways."""
    nodes = [node("n0", "Copy", columns={"a": "c"})]
    edges = []
    for i in range(0, 90, 3):
        keep = {"column": "c", "op": "not_missing", "reason": "none"}
        nodes += [node(f"n{i + k}", "Filter", **keep) for k in (1, 2, 3)]
        edges += [[f"n{i}", f"n{i + 1}"], [f"n{i}", f"n{i + 2}"]]
        edges += [[f"n{i + 1}", f"n{i + 3}"], [f"n{i + 2}", f"n{i + 3}"]]
    assert list(planned(graph(*nodes, edges=edges)).fields) == ["c"]


def test_a_chain_of_a_thousand_nodes() -> None:
    """The greatest graph is planned without recursion."""
    keep = {"column": "a", "op": "not_missing", "reason": "none"}
    first = node("first", "Copy", columns={"a": "c"})
    made = planned(graph(first, *(node(f"n{i}", "Filter", **keep) for i in range(999))))
    assert (len(made.steps), list(made.fields)) == (1000, ["c"])


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        (node("x", "Frobnicate"), "nodes[0].type: no node kind 'Frobnicate'"),
        (
            node("x", "Pandas", **{"import": "filna"}),
            "nodes[0].params.import: no operation 'filna'; did you mean 'fillna'?",
        ),
        (node("x", "Split"), "nodes[0].type: no node kind 'Split'; it divides training data while"),
        (
            node("x", "ScikitLearn"),
            "nodes[0].type: no node kind 'ScikitLearn'; it trains while a g",
        ),
        (node("x", "ModelUpload"), "nodes[0].type: no node kind 'ModelUpload'; it stores a model"),
        (node("x", "Simulator"), "nodes[0].type: no node kind 'Simulator'; it makes events for te"),
        (node("x", "Arithmetik"), "nodes[0].type: no node kind 'Arithmetik'; did you mean 'Arith"),
        (node("x", "Drop", colums=["a"]), "nodes[0].params.colums: is no known key; did you mean"),
        (node("x", "Drop", columns="a"), "nodes[0].params.columns: "),
        (node("x", "Round", columns=["a"], decimals="x"), "nodes[0].params.decimals: "),
        (node("x", "Log1p", columns=["aa"]), "nodes[0].params.columns[0]: no column 'aa' reaches"),
        (node("x", "Log1p", columns=["t"]), "nodes[0].params.columns[0]: column 't' is text"),
        (node("x", "Log1p", columns=["v"]), "nodes[0].params.columns[0]: column 'v' is float64[3]"),
        (
            node("x", "Filter", column="ghost", op="eq", value="x", reason="r"),
            "nodes[0].params.column: no column 'ghost'",
        ),
        (
            node("x", "Filter", column="a", op="eq", value="x", reason="r"),
            "nodes[0].params.value: 'x' is no float64",
        ),
        (
            node("x", "Filter", column="@topic", op="missing", reason="r"),
            "nodes[0].params.column: no column '@topic'",
        ),
        (node("x", "Rename", columns={"a": "@topic"}), "nodes[0].params.columns.a: "),
        (
            node("x", "ONNXNode", model="no.onnx", features=["a"], outputs={"s": "y"}),
            "nodes[0].params.model: model 'no.onnx' cannot be read",
        ),
        (
            node("x", "ONNXNode", model="../x", features=["a"], outputs={"s": "y"}),
            "nodes[0].params.model: '../x' must lie in the graph's own folder",
        ),
        (
            node("x", "ONNXNode", model="lr.onnx", features=["a", "t"], outputs={"s": "label"}),
            "nodes[0].params.features[1]: column 't' is text",
        ),
        (
            node("x", "ONNXNode", model="lr.onnx", features=["a", "v"], outputs={"s": "label"}),
            "nodes[0].params.features: 4 values per event do not fit",
        ),
        (
            node("x", "ONNXNode", model="lr.onnx", features=["a", "b"], outputs={"s": "lbl"}),
            "nodes[0].params.outputs.s: the model has no output 'lbl'; did you mean 'label'?",
        ),
        (
            node("x", "ONNXNode", model="lr.onnx", features=["a", "b"], outputs={"s": "label[3]"}),
            "nodes[0].params.outputs.s: output 'label' is int64[n]: label[3] is past its end",
        ),
        (
            node("x", "Route", column="t", topics={"x": "in"}),
            "nodes[0].params: 'in': the source's and the dead-letter topic take no scored events",
        ),
        (node("x", "Route", column="t", topics={}, default="in-dlq"), "nodes[0].params.topics: "),
        (
            node("x", "Route", column="t", topics={"x": "y"}, default="in-dlq"),
            "nodes[0].params: 'in-dlq': the source's",
        ),
    ],
)
def test_a_node_that_does_not_fit_is_one_problem(bad: dict[str, Any], expected: str) -> None:
    """At its place, with the nearest known name; nodes that stand behind it are not blamed."""
    behind = node("behind", "Log1p", columns=["s"])
    (problem,) = problems(graph(bad, behind, sink={"topic": "out", "fields": ["s"]}))
    assert problem.startswith(expected)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"edges": [["x", "z"]]}, "edges[0][1]: no node 'z'"),
        ({"edges": [["x", "y"], ["x", "y"]]}, "edges[1]: 'x' to 'y' is given twice"),
        ({"edges": [["x", "y"], ["y", "x"]]}, "edges: a graph has no cycles, but here is one: "),
        ({"edges": [["x", "x"]]}, "edges: a graph has no cycles, but here is one: 'x'"),
        ({"sink": {"topic": "in"}}, "sink.topic: is the source's own topic"),
        ({"sink": {"topic": "in-dlq"}}, "dead_letter: 'in-dlq' must be a topic of its own"),
        ({"dead_letter": {"topic": "in"}}, "dead_letter.topic: 'in' must be a topic of its own"),
        ({"dead_letter": {"topic": "out"}}, "dead_letter.topic: 'out' must be a topic of its own"),
        (
            {"sink": {"topic": "out", "fields": ["aa"]}},
            "sink.fields[0]: no column 'aa' reaches the sink",
        ),
        (
            {"sink": {"topic": "out", "fields": ["ne", "n"]}},
            "sink.fields[0]: no column 'ne' reaches the sink; did you mean 'n'?",
        ),
        (
            {"sink": {"topic": "out", "fields": ["a", "n", "a"]}},
            "sink.fields[2]: 'a' is given twice",
        ),
        (
            {"sink": {"topic": "out", "fields": ["@topic"]}},
            "sink.fields[0]: no column '@topic' reaches the sink",
        ),
        (
            {"source": {"topic": "in", "schema": {"type": "object", "properties": {"a": 3}}}},
            "source.schema.properties.a: must be a JSON Schema",
        ),
        (
            {"source": {"topic": "in", "schema": "none.json"}},
            "source.schema: 'none.json' cannot be read: no such",
        ),
        ({"source": {"topic": "in", "schema": "../x"}}, "source.schema: '../x' must lie in"),
        ({"source": {"topic": "in", "schema": "/etc/passwd"}}, "source.schema: '/etc/passwd' must"),
        ({"source": {"topic": "in", "schema": "a\0b"}}, "source.schema: 'a\0b' must lie in"),
    ],
)
def test_a_graph_that_does_not_hold_together_is_one_problem(
    change: dict[str, Any], expected: str
) -> None:
    """Edges, topics, fields and the schema, each at its place."""
    nodes = [node("x", "Copy", columns={"a": "c"}), node("y", "Round", columns=["c"])]
    (problem,) = problems({**graph(*nodes), **change})
    assert problem.removeprefix(f"{DATA}/").startswith(expected)


def test_the_last_nodes_must_write_something() -> None:
    """Where nobody wrote a column, the sink has to say what it wants."""
    data = graph(node("x", "Drop", columns=["a"]))
    assert problems(data) == ["sink.fields: the last nodes write no column; name the fields"]


def test_an_id_that_is_used_twice_is_one_problem() -> None:
    """Whatever edges follow from it in a chain."""
    nodes = [node(name, "Round", columns=["a"]) for name in ("x", "y", "x", "y", "x")]
    assert paths(chain(*nodes)) == ["nodes[2].id", "nodes[3].id", "nodes[4].id"]
    assert paths(chain(nodes[0], nodes[0])) == ["nodes[1].id"]


def test_every_problem_at_once() -> None:
    """Both phases are told together, from the source to the sink."""
    data = graph(
        node("kind", "Rond", columns=["a"]),
        node("param", "Round", columns=["b"], decimls=1),
        node("model", "ONNXNode", model="no.onnx", features=["a"], outputs={"s": "y"}),
        node("column", "Log1p", columns=["t"]),
        node("value", "Filter", column="n", op="eq", value="x", reason="r"),
        sink={"topic": "in"},
    )
    assert paths(data) == [
        "nodes[0].type",
        "nodes[1].params.decimls",
        "sink.topic",
        "nodes[2].params.model",
        "nodes[3].params.columns[0]",
        "nodes[4].params.value",
    ]


def test_a_missing_model_hides_nothing_else() -> None:
    """What it writes and what feeds it are in the graph: only the types are unknown."""
    second = {"features": {"x": ["s", "u"]}, "outputs": {"r": "y"}}
    data = graph(
        node("first", "ONNXNode", model="no.onnx", features=["a", "gost"], outputs={"s": "y"}),
        node("second", "ONNXNode", model="none.onnx", **second),
        node("wrong", "Log1p", columns=["nothing"]),
        node("use", "Round", columns=["s"]),
        sink={"topic": "out", "fields": ["s", "r", "scor"]},
    )
    assert paths(data) == [
        "nodes[0].params.model",
        "nodes[0].params.features[1]",
        "nodes[1].params.model",
        "nodes[1].params.features.x[1]",
        "nodes[2].params.columns[0]",
    ]
    data["nodes"] = data["nodes"][:2]
    *_, last = problems(data)
    assert last.startswith("sink.fields[2]: no column 'scor' reaches the sink; ")


def test_the_schema_and_the_nodes_at_once() -> None:
    """A schema that cannot be read does not hide what is wrong elsewhere."""
    data = graph(
        node("kind", "Rond"),
        node("column", "Log1p", columns=["whatever"]),
        node("model", "ONNXNode", model="no.onnx", features=["x"], outputs={"s": "y"}),
        source={"topic": "in", "schema": {"type": "object", "propertis": {}}},
    )
    assert paths(data) == [
        "nodes[0].type",
        "source.schema.propertis",
        "nodes[2].params.model",
    ]


def test_what_a_broken_node_may_have_changed_is_not_held_against_others() -> None:
    """A Cast that fails leaves its columns' types open, and all others as they are."""
    data = chain(
        node("cast", "Cast", columns={"t": "float64", "ghost": "int64"}),
        node("use", "Log1p", columns=["t"]),
        node("use_again", "StringOp", column="t", op="lower"),
        node("derived", "StringOp", column="a_new", op="lower"),
        node("wrong", "Log1p", columns=["v"]),
        node("select", "Select", columns=["t", "gone", "a"]),
    )
    assert paths(data) == ["nodes[0].params.columns.ghost", "nodes[4].params.columns[0]"]


def branches(left: dict[str, Any], right: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """A diamond: both nodes behind one, and joined by another."""
    return graph(
        node("first", "Copy", columns={"a": "c"}),
        left,
        right,
        node("join", "Copy", columns={"c": "d"}),
        edges=[["first", "left"], ["first", "right"], ["left", "join"], ["right", "join"]],
        **rest,
    )


def test_a_column_with_two_last_writers_is_a_conflict() -> None:
    """Where branches meet, or one of them is the source's own."""
    writes = {
        "left": node("left", "Round", columns=["c"]),
        "keeps": node("right", "Drop", columns=["b"]),
    }
    twice = branches(writes["left"], node("right", "Log1p", columns=["c"]))
    assert problems(twice) == [
        "nodes[3]: column 'c' comes from 'left' and from 'right'; Drop it in one branch"
    ]
    once = branches(writes["left"], writes["keeps"])
    assert problems(once) == [
        "nodes[3]: column 'c' comes from 'left' and from 'first'; Drop it in one branch"
    ]
    source = branches(node("left", "Round", columns=["a"]), writes["keeps"])
    assert problems(source) == [
        "nodes[3]: column 'a' comes from 'left' and from the source; Drop it in one branch"
    ]


def test_a_conflict_at_the_sink() -> None:
    """Ends meet there."""
    ends = [node("x", "Round", columns=["a"]), node("y", "Log1p", columns=["a"])]
    assert problems(chain(*ends) | {"edges": []}) == [
        "sink: column 'a' comes from 'x' and from 'y'; Drop it in one branch"
    ]


def test_dropping_the_column_in_one_branch_solves_it() -> None:
    """As the message says."""
    left = node("left", "Round", columns=["c"])
    made = planned(branches(left, node("right", "Drop", columns=["c"])))
    assert [step.id for step in made.steps] == ["first", "left", "right", "join"]


@pytest.mark.parametrize("kind", ["Drop", "Select"])
def test_a_broken_branch_is_no_conflict(kind: str) -> None:
    """A mistake in one branch is not told again where it meets the other."""
    left = node("left", kind, columns=["c", "ghost"])
    data = branches(left, node("right", "Round", columns=["c", "b"]))
    assert paths(data) == ["nodes[1].params.columns[1]"]


def test_two_routes_must_not_meet() -> None:
    """Neither knows which topic is meant."""
    routes = [node(side, "Route", column="t", topics={"x": side}) for side in ("left", "right")]
    assert problems(branches(*routes)) == [
        "nodes[3]: the topic comes from 'left' and from 'right'; Route once, behind the join"
    ]


NAMELESS = {"Route", "JsonToDataframe"}
"""The kind that writes the topic, and one that names no column."""


@pytest.mark.parametrize("kind", sorted(set(kinds()) - NAMELESS))
def test_no_other_node_sees_the_topic(kind: str) -> None:
    """A graph's topics are a declared list: nothing reads, replaces or removes the choice."""
    example = kinds()[kind].EXAMPLE
    schema = {"type": "object", "properties": FIELDS}
    data = graph(
        node("route", "Route", column="t", topics={"x": "other"}),
        {"id": "x", "type": kind, "params": _with_topic(example.params, set(example.types))},
        source={"topic": "in", "schema": schema},
        sink={"topic": "out", "fields": []},
    )
    assert problems(data)


def _with_topic(data: Any, columns: set[str]) -> Any:
    """Params with every column's name replaced by the reserved one."""
    if isinstance(data, str):
        return "@topic" if data in columns else data
    if isinstance(data, dict):
        return {_with_topic(k, columns): _with_topic(v, columns) for k, v in data.items()}
    return [_with_topic(item, columns) for item in data] if isinstance(data, list) else data


def test_a_topic_chosen_before_a_select_stays() -> None:
    """Select keeps the columns it names, and the choice of topic."""
    made = planned(
        chain(
            node("route", "Route", column="t", topics={"x": "other"}),
            node("select", "Select", columns=["a"]),
        )
    )
    assert (made.topics, "@topic" in made.steps[-1].types) == (("out", "other"), True)


def test_a_schema_in_a_file_tells_its_lines(tmp_path: Path) -> None:
    """Problems of the schema's file carry its name and line; a link outside is refused."""
    path = tmp_path / "schema.json"
    path.write_text('{"type": "object",\n "properties": {\n\t"a": {"type": "nmber"}}}')
    data = {**chain(), "nodes": [LR], "source": {"topic": "in", "schema": "schema.json"}}
    with pytest.raises(ConfigError) as caught:
        planned(data, tmp_path)
    first = caught.value.problems[0]
    assert (first.file, first.line, first.path) == (str(path), 3, "properties.a.type")
    (tmp_path / "link.json").symlink_to("/etc/hostname")
    data["source"] = {"topic": "in", "schema": "link.json"}
    assert "must lie in the graph's own folder" in problems(data, tmp_path)[0]


def test_a_dead_letter_topic_that_is_too_long() -> None:
    """The default name is made from the source's, and may not fit."""
    long = {"topic": "x" * 249, "schema": {"type": "object", "properties": FIELDS}}
    (problem,) = problems({**chain(node("x", "Round", columns=["a"])), "source": long})
    assert problem.startswith("dead_letter: ")


def test_only_columns_that_are_read_are_decoded() -> None:
    """What nobody looks at is not built."""
    made = planned(chain(node("x", "Round", columns=["b"])))
    decoded = made.decoder.decode([b'{"a":1,"b":2,"n":3,"t":"x"}'])
    assert set(decoded.batch.columns) == {"a", "b"}


def test_fields_with_any_name_can_be_written() -> None:
    """A column's name need not be plain."""
    made = planned(graph(node("x", "Copy", columns={"a": 'he said "%b"\\'})))
    found, _ = made.encoder.encode(
        made.decoder.decode([b'{"a":1}']).batch.with_columns(
            {'he said "%b"\\': made.decoder.decode([b'{"a":1}']).batch["a"]}
        ),
        [b'{"a":1}'],
        frozenset(),
    )
    assert found == [b'{"a":1,"he said \\"%b\\"\\\\":1.0}']


def test_the_digest_covers_a_schema_beside_the_graph(tmp_path: Path) -> None:
    """Another default in the file is another graph; the same schema inline is the same."""
    shared = node("plus", "Arithmetic", left="a", op="+", right=1, into="x")
    digests = []
    for default in (1, 2):
        schema = {"type": "object", "properties": {"a": {"type": "number", "default": default}}}
        (tmp_path / "schema.json").write_text(json.dumps(schema))
        beside = graph(shared, source={"topic": "in", "schema": "schema.json"})
        inline = graph(shared, source={"topic": "in", "schema": schema})
        digests.append(planned(beside, tmp_path).digest)
        assert planned(inline).digest == digests[-1]
    assert len(set(digests)) == 2
