"""Spec: what a graph file may say, in either of its two forms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.graph.support import graph, node
from worker.errors import ConfigError
from worker.graph.spec import MAX_NODES, GraphSpec, load, parse, prefix_of

ONE = node("one", "Drop", columns=["a"])
GRAPH = graph(ONE, node("two", "Drop", columns=["b"]))


def problems(data: object) -> list[str]:
    """``path: message`` of everything that `parse` refuses."""
    with pytest.raises(ConfigError) as caught:
        parse(data)
    return [str(problem) for problem in caught.value.problems]


def with_(path: str, value: Any) -> dict[str, Any]:
    """`GRAPH` with one place replaced."""
    changed: dict[str, Any] = json.loads(json.dumps(GRAPH))
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place: Any = changed
    for part in parents:
        place = place.setdefault(part, {}) if isinstance(place, dict) else place[part]
    place[last] = value
    return changed


def shuffled(data: Any) -> Any:
    """The same data, every mapping's keys in the opposite order."""
    if isinstance(data, dict):
        return {key: shuffled(data[key]) for key in reversed(data)}
    return [shuffled(item) for item in data] if isinstance(data, list) else data


def test_defaults() -> None:
    """What a short graph leaves out."""
    spec = parse(GRAPH)
    assert (spec.source.start, spec.source.format) == ("earliest", "json")
    assert spec.source.isolation == "read_committed"
    assert (spec.sink.fields, spec.sink.into, spec.sink.headers) == (None, "merge", True)
    assert spec.dead_letter_topic == "in-dlq"
    assert spec.delivery.guarantee == "at_least_once"
    assert spec.links == [("one", "two")]


def test_edges_replace_the_chain() -> None:
    """An empty list of edges is no chain: the nodes stand side by side."""
    assert parse({**GRAPH, "edges": []}).links == []
    assert parse({**GRAPH, "edges": [["two", "one"]]}).links == [("two", "one")]


def test_adobes_envelope_gives_the_same_graph() -> None:
    """The envelope is looked through, and problems are told with their path in the file."""
    wrapped = {"edge": {"applicationDsl": GRAPH, "other": 1}, "id": "x"}
    assert parse(wrapped) == parse(GRAPH)
    assert parse(wrapped).digest == parse(GRAPH).digest
    assert prefix_of(wrapped) == "edge.applicationDsl"
    assert prefix_of(GRAPH) == ""
    broken = {"edge": {"applicationDsl": with_("sink.topic", "a b")}}
    (problem,) = problems(broken)
    assert problem.startswith("edge.applicationDsl.sink.topic: ")


def test_the_digest_does_not_depend_on_the_order_of_keys() -> None:
    """The same graph written in another order is the same graph."""
    assert parse(shuffled(GRAPH)).digest == parse(GRAPH).digest


def test_the_digest_does_not_depend_on_what_is_left_to_defaults() -> None:
    """A default that is written out changes nothing; nor does the editor's comment key."""
    written = {**with_("sink.into", "merge"), "$schema": "https://example.org/rtml.schema.json"}
    assert parse(written).digest == parse(GRAPH).digest


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", "h"),
        ("source.start", "latest"),
        ("nodes.0.params.columns", ["b"]),
        ("nodes.0.id", "three"),
        ("edges", []),
        ("sink.topic", "other"),
        ("source.schema.properties.a.type", "integer"),
    ],
)
def test_the_digest_depends_on_everything_else(path: str, value: Any) -> None:
    """Any change of what a graph says is another digest."""
    assert parse(with_(path, value)).digest != parse(GRAPH).digest


def test_the_order_of_nodes_is_part_of_the_digest() -> None:
    """Without edges it is the order of work."""
    turned = {**GRAPH, "nodes": GRAPH["nodes"][::-1]}
    assert parse(turned).digest != parse(GRAPH).digest


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("name", 3, "name: "),
        ("name", "a b", "name: "),
        ("name", "", "name: "),
        ("nme", "x", "nme: is no known key; did you mean 'name'?"),
        ("source.topic", "a b", "source.topic: "),
        ("source.topic", "x" * 250, "source.topic: "),
        ("source.topic", ".", "source.topic: "),
        ("sink.topic", "..", "sink.topic: "),
        ("dead_letter.topic", "a/b", "dead_letter.topic: "),
        ("source.shema", {}, "source.shema: is no known key; did you mean 'schema'?"),
        ("source.event_schema", {}, "source.event_schema: is no known key"),
        ("source.start", "erliest", "source.start: "),
        ("source.format", "avro", "source.format: "),
        ("source.schema", 3, "source.schema: "),
        ("nodes", [], "nodes: "),
        ("nodes", None, "nodes: "),
        ("nodes.0.id", "", "nodes[0].id: "),
        ("nodes.0.id", "a b", "nodes[0].id: "),
        ("nodes.0.tpe", "x", "nodes[0].tpe: is no known key; did you mean 'type'?"),
        ("nodes.1.params", [], "nodes[1].params: "),
        ("edges", [["one"]], "edges[0]"),
        ("edges", [["one", "two", "three"]], "edges[0]"),
        ("edges", "one", "edges: "),
        ("sink.fields", "a", "sink.fields: "),
        ("sink.fields", [1], "sink.fields[0]: "),
        ("sink.into", "mrge", "sink.into: "),
        ("delivery.guarantee", "most", "delivery.guarantee: "),
        ("delivery", None, "delivery: "),
    ],
)
def test_each_mistake_has_its_path(path: str, value: Any, told: str) -> None:
    """One mistake is one problem, at its place in the file."""
    (problem,) = problems(with_(path, value))
    assert problem.startswith(told), problem


def test_every_problem_at_once() -> None:
    """What is missing, unknown and malformed is reported together."""
    found = problems({"name": "a b", "surce": {}, "nodes": [{"id": "x"}], "sink": {"tpic": "t"}})
    assert sorted(problem.partition(":")[0] for problem in found) == [
        "name",
        "nodes[0].type",
        "sink.tpic",
        "surce",
    ]


@pytest.mark.parametrize("data", [None, [], "x", 3, {"edge": {"applicationDsl": []}}])
def test_a_graph_is_a_mapping(data: object) -> None:
    """Anything else is refused in words."""
    (problem,) = problems(data)
    assert "a graph is a mapping" in problem


def test_the_number_of_nodes_is_bounded() -> None:
    """A file cannot ask for any amount of work."""
    nodes = [node(f"n{i}", "Drop", columns=["a"]) for i in range(MAX_NODES + 1)]
    assert len(parse(graph(*nodes[:-1])).nodes) == MAX_NODES
    assert problems(graph(*nodes))[0].startswith("nodes: ")


def test_a_file_gives_lines(tmp_path: Path) -> None:
    """Problems of a file have its name and line; a good file gives spec and document."""
    path = tmp_path / "graph.yaml"
    path.write_text(
        "name: a b\nsource:\n  topic: in\n  schema: {type: object}\n"
        "nodes:\n  - id: a\n    tpe: Drop\nsink: {topic: out}\n"
    )
    with pytest.raises(ConfigError) as caught:
        load(path)
    places = [(p.file, p.line, p.path) for p in caught.value.problems]
    assert sorted(places) == [
        (str(path), 1, "name"),
        (str(path), 7, "nodes[0].tpe"),
    ]
    path.write_text(path.read_text().replace("tpe", "type").replace("a b", "ab"))
    spec, document = load(path)
    assert (spec.name, document.file) == ("ab", str(path))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "id", "type", "topic", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)
PLACES = st.sampled_from(
    [
        *("name", "source", "source.topic", "source.schema", "source.start", "nodes", "nodes.0"),
        *("nodes.0.id", "nodes.0.type", "nodes.0.params", "edges", "sink", "sink.fields"),
        *("sink.headers", "dead_letter", "delivery", "delivery.guarantee", "description", "y"),
    ]
)


@given(PLACES, JSON)
def test_anything_anywhere_is_a_graph_or_problems(path: str, value: Any) -> None:
    """Whatever stands at a place, the answer is a spec or problems that name places."""
    try:
        spec = parse(with_(path, value))
    except ConfigError as error:
        top = path.partition(".")[0]
        places = {problem.path.partition(".")[0].partition("[")[0] for problem in error.problems}
        assert places == {top}
    else:
        assert isinstance(spec, GraphSpec)
        assert len(spec.digest) == 64
