"""The JSON Schema of the graph file knows what the loader knows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from worker.graph.json_schema import graph_schema, markdown, summary
from worker.graph.text import read
from worker.nodes.registry import kinds

GRAPHS = Path(__file__).parent.parent.parent / "graphs"
SCHEMA = graph_schema(kinds())
VALIDATOR = Draft202012Validator(SCHEMA)


def graph(**node: Any) -> dict[str, Any]:
    """A graph of one node."""
    return {
        "name": "g",
        "source": {"topic": "in", "schema": {"type": "object"}},
        "nodes": [{"id": "n", **node}],
        "sink": {"topic": "out"},
    }


def errors(data: Any) -> list[str]:
    """Where and how ``data`` is otherwise than the schema says."""
    return [f"{e.json_path}: {e.message}" for e in VALIDATOR.iter_errors(data)]


def test_it_is_a_schema_of_draft_2020_12() -> None:
    """The schema is valid itself, and says what it is."""
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["$id"] == "urn:rtml-worker:graph"


@pytest.mark.parametrize("path", sorted(GRAPHS.glob("*/graph.yaml")), ids=lambda p: p.parent.name)
def test_example_graphs_are_valid(path: Path) -> None:
    """Every graph that the project ships fits the schema."""
    assert errors(read(path).data) == []


@pytest.mark.parametrize("kind", kinds())
def test_examples_of_node_kinds_are_valid(kind: str) -> None:
    """The EXAMPLE of every node kind fits the schema of its params."""
    params = json.loads(json.dumps(kinds()[kind].EXAMPLE.params))
    assert errors(graph(type=kind, params=params)) == []


@pytest.mark.parametrize("kind", kinds())
def test_unknown_params_are_not(kind: str) -> None:
    """A key that the kind does not know is an error, whatever the kind."""
    params = json.loads(json.dumps(kinds()[kind].EXAMPLE.params))
    found = errors(graph(type=kind, params={**params, "colour": "red"}))
    assert found == [
        "$.nodes[0].params: Additional properties are not allowed ('colour' was unexpected)"
    ]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"type": "Clp", "params": {}}, "$.nodes[0].type: 'Clp' is not one of ["),
        ({"type": "Clip"}, "$.nodes[0]: 'params' is a required property"),
        ({"params": {}}, "$.nodes[0]: 'type' is a required property"),
        (
            {"type": "Clip", "params": {"columns": "a"}},
            "$.nodes[0].params.columns: 'a' is not of type 'array'",
        ),
        (
            {"type": "Filter", "params": {"column": "a", "op": "=", "reason": "r"}},
            "$.nodes[0].params.op: '=' is not one of [",
        ),
    ],
)
def test_params_belong_to_the_kind(change: dict[str, Any], error: str) -> None:
    """A node is checked against the params of its own kind."""
    assert [found[: len(error)] for found in errors(graph(**change))] == [error]


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"import": "mapp"}, "$.nodes[0].params.import: 'mapp' is not one of ["),
        ({"import": "map"}, "$.nodes[0].params: 'kwargs' is a required property"),
        (
            {"import": "fillna", "kwargs": {"value": 0, "valeu": 0}},
            "$.nodes[0].params.kwargs: Additional properties are not allowed ('valeu' was",
        ),
        (
            {"import": "subtract", "kwargs": {}},
            "$.nodes[0].params.kwargs: 'other' is a required property",
        ),
        (
            {"import": "dt.hour", "kwargs": {"unit": "s"}},
            "$.nodes[0].params.kwargs: Additional properties are not allowed ('unit' was",
        ),
    ],
)
def test_keywords_belong_to_the_operation(params: dict[str, Any], error: str) -> None:
    """What `Pandas` imports decides which keywords there are, by its other names too."""
    found = errors(graph(type="Pandas", params=params))
    assert [text[: len(error)] for text in found] == [error]


def test_kinds_are_explained_to_editors() -> None:
    """Each kind in the list has its sentence beside it, and its params their description."""
    kind = SCHEMA["$defs"]["NodeSpec"]["properties"]["type"]
    assert kind["enum"] == list(kinds())
    assert kind["markdownEnumDescriptions"] == [markdown(summary(k)) for k in kinds().values()]
    then = SCHEMA["$defs"]["NodeSpec"]["allOf"][kind["enum"].index("Clip")]["then"]
    assert "`lower`" in then["properties"]["params"]["description"]


def test_the_editor_line_of_a_json_graph_is_allowed() -> None:
    """A graph in JSON may name its schema."""
    assert errors({**graph(type="Drop", params={"columns": ["a"]}), "$schema": "x.json"}) == []


def test_the_file_beside_the_graphs_is_up_to_date() -> None:
    """``graphs/rtml.schema.json`` is what ``rtml schema`` prints."""
    expected = json.dumps(SCHEMA, indent=2, ensure_ascii=False) + "\n"
    assert (GRAPHS / "rtml.schema.json").read_text(encoding="utf-8") == expected
