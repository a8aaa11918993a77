"""A graph on the topics of a benchmark: it does the same, and names nothing of its own any more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import DATA, ROOT
from tests.kafka.test_commands import graph_file
from worker.cli.loading import load_graph
from worker.graph.plan import Plan
from worker.graph.prepare import prepare
from worker.graph.spec import parse
from worker.models.store.store import Store
from worker.score import score
from worker.settings import Settings
from worker.stream.tools.bench.graph import moved
from worker.stream.tools.bench.place import PREFIX, Place
from worker.stream.topics import wanted


def place_of(plan: Plan) -> Place:
    """With as many sinks as the graph has."""
    return Place(Settings(), len(plan.topics), 1)


@pytest.mark.parametrize("name", ["breast-cancer", "digits", "car-insurance"])
def test_the_examples_do_the_same(tmp_path: Path, name: str) -> None:
    """Their own events have the same outcomes; schema and model are there."""
    folder = ROOT / "graphs" / name
    plan = load_graph(folder).plan
    place = place_of(plan)
    again = load_graph(moved(plan, folder, place, tmp_path)).plan
    events = (folder / "events.jsonl").read_bytes().splitlines()[:200]
    assert list(score(again, events)) == list(score(plan, events))
    assert again.spec.source.start == "earliest"
    assert wanted(again) == [place.events, *place.scored, place.dead]


def test_every_topic_of_a_route_has_its_own(tmp_path: Path) -> None:
    """As many sinks as before; the graph's own names are nowhere in the file."""
    folder, into = tmp_path / "a", tmp_path / "b"
    folder.mkdir()
    into.mkdir()
    plan = load_graph(graph_file(folder, "mine")).plan
    place = place_of(plan)
    path = moved(plan, folder, place, into)
    assert "mine" not in path.read_text()
    again = load_graph(path).plan
    assert again.topics == place.scored
    assert len(place.scored) == 2
    assert all(topic.startswith(PREFIX) for topic in wanted(again))
    events = [b'{"f0": 1, "f1": 1}', b'{"f0": 2, "f1": 1}']
    assert score(again, events).topics == [place.scored[1], None]


def test_models_keep_their_places(tmp_path: Path) -> None:
    """A file in a folder is copied there; a model of the store is asked of the store."""
    store = Store(str(tmp_path / "store"), tmp_path / "cache")
    reference = store.push(DATA / "lr.onnx", "lr").entry.model_id
    folder = tmp_path / "graph"
    (folder / "models").mkdir(parents=True)
    document = yaml.safe_load(graph_file(folder, "mine").read_text())
    (folder / "lr.onnx").rename(folder / "models" / "lr.onnx")
    for model, copies in (("models/lr.onnx", ["models/lr.onnx"]), (reference, [])):
        document["nodes"][0]["params"]["model"] = model
        plan, _ = prepare(parse(document), folder, lambda: store)
        into = tmp_path / f"into-{len(copies)}"
        into.mkdir()
        found = json.loads(moved(plan, folder, place_of(plan), into).read_text())
        assert found["nodes"][0]["params"]["model"] == model
        assert [str(one.relative_to(into)) for one in into.rglob("*.onnx")] == copies
