"""The files of the example graphs: events, cases, schema and graph fit together."""

import json
import subprocess
import sys
from collections import Counter
from typing import Any

import onnx
import pytest
import yaml

from graphs.making import FOLDER, cases_text, json_lines, load, node_params

NAMES = ["breast-cancer", "car-insurance", "digits"]
KEYWORDS = {
    "$schema", "$id", "title", "description", "default", "type", "properties", "required",
    "enum", "minimum", "maximum", "format", "items", "minItems", "maxItems",
}  # fmt: skip


def text(name: str, file: str) -> str:
    """Return the text of a file of the graph."""
    return (FOLDER / name / file).read_text(encoding="utf-8")


def sample(name: str) -> list[Any]:
    """Return the graph's sample events, parsed."""
    return [json.loads(line) for line in text(name, "events.jsonl").splitlines()]


def keywords(schema: dict[str, Any]) -> set[str]:
    """Return the keywords of a schema and of the schemas of its fields."""
    inner = [keywords(field) for field in schema.get("properties", {}).values()]
    return set(schema).union(*inner)


@pytest.mark.parametrize("name", NAMES)
def test_sample_events_are_objects_and_few(name: str) -> None:
    """The sample holds between 400 and 600 JSON objects in less than 1 MB."""
    events = sample(name)
    assert {type(event) for event in events} == {dict}
    assert 400 <= len(events) <= 600
    assert len(text(name, "events.jsonl").encode()) < 1_000_000


@pytest.mark.parametrize("name", NAMES)
def test_sample_events_are_the_ones_made(name: str) -> None:
    """The sample is what make.py makes, byte for byte."""
    assert text(name, "events.jsonl") == json_lines(load(name, "make").sample_events())


@pytest.mark.parametrize("name", NAMES)
def test_cases_are_the_ones_made(name: str) -> None:
    """The cases are what make.py makes, their scores scikit-learn's at 9 digits."""
    assert text(name, "cases.yaml") == cases_text(load(name, "make").cases())


@pytest.mark.parametrize("name", NAMES)
def test_cases_cover_good_and_bad(name: str) -> None:
    """Each graph has four cases or more, one outcome per event, a decode error among them."""
    cases = yaml.safe_load(text(name, "cases.yaml"))["cases"]
    lengths = {len(case["events"]) == len(case["expect"]) for case in cases}
    outcomes = [outcome for case in cases for outcome in case["expect"]]
    assert len(cases) >= 4
    assert lengths == {True}
    assert {"rejected": {"stage": "decode"}} in outcomes


@pytest.mark.parametrize("name", NAMES)
def test_schema_uses_known_keywords(name: str) -> None:
    """A schema uses no keyword that the worker would refuse."""
    assert keywords(json.loads(text(name, "schema.json"))) - KEYWORDS == set()


@pytest.mark.parametrize("name", NAMES)
def test_graph_file_helps_the_editor(name: str) -> None:
    """A graph file starts with the line by which editors find its JSON Schema."""
    first = text(name, "graph.yaml").splitlines()[0]
    assert first == "# yaml-language-server: $schema=../rtml.schema.json"


@pytest.mark.parametrize(
    ("name", "node"), [("breast-cancer", "diagnosis"), ("car-insurance", "interest")]
)
def test_graph_feeds_all_features(name: str, node: str) -> None:
    """The graph names as many features, each once, as the model's input is wide."""
    features = node_params(name)[node]["features"]
    model = onnx.load(FOLDER / name / "model.onnx")
    width = model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
    assert len(set(features)) == len(features) == width


def test_breast_cancer_features_are_in_the_order_of_training() -> None:
    """The graph and its rules name the columns as scikit-learn orders them."""
    params = node_params("breast-cancer")
    expected = load("breast-cancer", "make").FEATURES
    assert (params["diagnosis"]["features"], list(params["plausible"]["rules"])) == (
        expected,
        expected,
    )


def test_web_events_are_seeded() -> None:
    """The same seed gives the same events and answers, another seed others."""
    generate = load("car-insurance", "generate")
    assert generate.visits(50, seed=3) == generate.visits(50, seed=3)
    assert generate.visits(50, seed=3) != generate.visits(50, seed=4)


def test_web_events_come_from_the_command_of_the_readme() -> None:
    """The generator, run by itself, prints the sample."""
    command = [sys.executable, "graphs/car-insurance/generate.py", "-n", "480", "--seed", "3"]
    printed = subprocess.run(
        command, cwd=FOLDER.parent, capture_output=True, check=True, encoding="utf-8"
    )
    assert printed.stdout == text("car-insurance", "events.jsonl")


def test_web_events_have_gaps() -> None:
    """Among the web events are null fields, absent fields and visitors who told nothing."""
    told = [event["_experienceplatform"].get("userInfo") for event in sample("car-insurance")]
    fields = [info for info in told if info is not None]
    assert None in told
    assert any(None in info.values() for info in fields)
    assert any(len(info) < 9 for info in fields)


def test_web_events_meet_every_outcome() -> None:
    """Of the web events most are scored, some are dropped, a few break a rule."""
    events = sample("car-insurance")
    outcomes = Counter(next(iter(o)) for o in load("car-insurance", "make").reference(events))
    assert outcomes == {"scored": 453, "dropped": 20, "rejected": 7}
