"""One mistake in a graph's shape hides no other, and none is told twice."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.graph.support import DATA, node
from worker.errors import ConfigError
from worker.graph.partial import sound_part
from worker.graph.prepare import further_problems
from worker.graph.spec import parse
from worker.models.store.store import Store

FIELDS = {"a": {"type": "number"}, "t": {"type": "string"}}
GRAPH: dict[str, Any] = {
    "name": "g",
    "source": {"topic": "in", "schema": {"type": "object", "properties": FIELDS}},
    "nodes": [
        node("one", "Copy", columns={"a": "c"}),
        node("two", "Round", columns=["c"]),
        node("three", "Log1p", columns=["a"]),
    ],
    "sink": {"topic": "out"},
}
EDGES = [["one", "two"], ["two", "three"]]

Change = Callable[[dict[str, Any]], object]


def no_store() -> Store:
    """No graph here names a model of one."""
    raise AssertionError


def changed(*changes: Change) -> dict[str, Any]:
    """The graph, spoilt."""
    data = copy.deepcopy(GRAPH)
    for change in changes:
        change(data)
    return data


def told(data: dict[str, Any]) -> list[str]:
    """The paths of all problems, the shape's first."""
    with pytest.raises(ConfigError) as caught:
        parse(data)
    problems = [*caught.value.problems, *further_problems(data, DATA, no_store)]
    return [problem.path for problem in problems]


SHAPES: list[tuple[Change, list[str]]] = [
    (lambda g: g.update(titel="x"), ["titel"]),
    (lambda g: g.pop("name"), ["name"]),
    (lambda g: g.update(name=3), ["name"]),
    (lambda g: g.update(delivery="twice"), ["delivery"]),
    (lambda g: g.update(dead_letter={"topik": "x"}), ["dead_letter.topik"]),
    (lambda g: g.update(dead_letter={"topic": "a b"}), ["dead_letter.topic"]),
    (lambda g: g["source"].update(start="now"), ["source.start"]),
    (lambda g: g["source"].update(topik="x"), ["source.topik"]),
    (lambda g: g["source"].pop("topic"), ["source.topic"]),
    (lambda g: g["sink"].update(into="merg"), ["sink.into"]),
    (lambda g: g["sink"].update(feilds=["nothing"]), ["sink.feilds"]),
    (lambda g: g["sink"].pop("topic"), ["sink.topic"]),
    (lambda g: g.update(sink="out"), ["sink"]),
    (lambda g: g["nodes"][0].update(note="x"), ["nodes[0].note"]),
]


@pytest.mark.parametrize(("change", "paths"), SHAPES)
def test_a_wrong_shape_is_told_once(change: Change, paths: list[str]) -> None:
    """What stands in for it makes no problem of its own."""
    assert told(changed(change)) == paths


@pytest.mark.parametrize(("change", "paths"), SHAPES)
def test_a_wrong_shape_hides_no_column_kind_or_param(change: Change, paths: list[str]) -> None:
    """An unknown kind, an unknown param and an unknown column behind it are told as well."""
    others: list[Change] = [
        lambda g: g["nodes"].append(node("x", "Log1p", columns=["ghost"])),
        lambda g: g["nodes"].append(node("y", "Rond", columns=["a"])),
        lambda g: g["nodes"].append(node("z", "Round", columns=["a"], decimls=1)),
    ]
    found = told(changed(change, *others))
    assert sorted(found) == sorted(
        [*paths, "nodes[3].params.columns[0]", "nodes[4].type", "nodes[5].params.decimls"]
    )


def test_a_source_that_is_wrong_leaves_columns_open() -> None:
    """No column is unknown where no schema says which there are; kinds and topics are looked at."""
    for source in (3, {"topic": "in"}, {"topic": "in", "shema": {}}):
        data = changed(lambda g, s=source: g.update(source=s))  # type: ignore[misc]
        data["nodes"].append(node("x", "Rond", columns=["ghost"]))
        assert "nodes[3].type" in told(data)
        assert not any("columns" in path or "sink" in path for path in told(data))


def test_a_misspelt_params_leaves_open_what_the_node_does() -> None:
    """Neither its own params nor the columns that it may have made are missed."""
    data = changed(lambda g: g["nodes"][0].update(parms=g["nodes"][0].pop("params")))
    data["nodes"].append(node("x", "Rond"))
    assert told(data) == ["nodes[0].parms", "nodes[3].type"]


@pytest.mark.parametrize("edge", [["one", "two", "three"], ["one"], "one", [1, "two"], {}])
def test_a_misshaped_edge_hides_no_other(edge: Any) -> None:
    """Unknown nodes and cycles are told at their places; columns, which it may carry, are not."""
    data = changed(lambda g: g.update(edges=[edge, *EDGES, ["three", "two"], ["three", "fuor"]]))
    data["nodes"].append(node("x", "Log1p", columns=["ghost"]))
    first, *others = told(data)
    assert first.startswith("edges[0]")
    assert [path for path in others if not path.startswith("edges[0]")] == ["edges[4][1]", "edges"]


def test_a_wrong_id_is_not_told_at_its_edges() -> None:
    """They name the node by the id that it cannot have."""
    data = changed(lambda g: g.update(edges=[["o ne", "two"], *EDGES[1:]]))
    data["nodes"][0]["id"] = "o ne"
    data["nodes"].append(node("x", "Rond"))
    assert told(data) == ["nodes[0].id", "nodes[3].type"]


def test_without_nodes_there_is_nothing_to_look_at() -> None:
    """Nor in what is no graph at all, nor in one that is sound."""
    for data in (3, {}, {"nodes": 3}, {"nodes": ["x"]}, {"nodes": []}, GRAPH):
        assert sound_part(data) is None


def test_an_envelope_is_looked_into() -> None:
    """The graph may stand in Adobe's."""
    data = changed(lambda g: g.update(titel="x"))
    data["nodes"].append(node("x", "Rond"))
    problems = further_problems({"edge": {"applicationDsl": data}}, DATA, no_store)
    assert [problem.path for problem in problems] == ["nodes[3].type"]
