"""``rtml service`` where Kafka is not there, or the request is refused before it is asked."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Done, Rtml
from tests.services.support import presence, service
from worker.cli.console import Output
from worker.cli.service.options import tell
from worker.services.outcome import Outcome

NOWHERE = ["--brokers", "127.0.0.1:1"]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty model store."""
    folder = tmp_path / "store"
    monkeypatch.setenv("RTML_MODEL_STORE", str(folder))
    return folder


def files(folder: Path) -> list[Path]:
    """What is in the store."""
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_refused_publish_writes_nothing(rtml: Rtml, graph: Path, store: Path) -> None:
    """Names that cannot be used are told at once, both, and no model is pushed."""
    done = rtml("service", "publish", graph, "--id", "a b", "--location", "-", *NOWHERE)
    assert (done.code, files(store)) == (2, [])
    assert done.err.splitlines()[0].startswith("--id: 'a b': letters, digits")
    assert done.err.splitlines()[1].startswith("--location: '-': letters, digits")


@pytest.fixture
def unreachable(
    rtml: Rtml, graph: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Done, Path]:
    """A publish without Kafka, with a variable that nobody knows."""
    monkeypatch.setattr("worker.cli.service.options.REACH_S", 2.0)
    monkeypatch.setenv("RTML_LOCATIONS", "edge")
    return rtml("service", "publish", graph, *NOWHERE), store


def test_without_kafka_nothing_is_pushed(unreachable: tuple[Done, Path]) -> None:
    """The store is as it was: the graph is checked, and pushed once the registry is read."""
    done, store = unreachable
    assert (done.code, done.out, files(store)) == (3, "", [])


def test_each_thing_is_said_once(unreachable: tuple[Done, Path]) -> None:
    """One warning for the variable, one line for waiting, one at the end; none of the library."""
    warning, waiting, end = unreachable[0].err.splitlines()
    assert warning.startswith("warning: unknown variable RTML_LOCATIONS")
    assert waiting.startswith("cannot reach Kafka at 127.0.0.1:1: ")
    assert waiting.endswith("; trying again")
    assert end.startswith("rtml: cannot reach Kafka at 127.0.0.1:1: ")


def dsl(*nodes: dict[str, Any]) -> str:
    """A notebook's graph: nodes and edges, and nothing else."""
    links = [[a["id"], b["id"]] for a, b in pairwise(nodes)]
    return json.dumps({"edge": {"applicationDsl": {"nodes": nodes, "edges": links}}})


def test_a_notebook_s_graph_is_given_topics_and_a_schema(
    rtml: Rtml, tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it is given is said; the topics have the name that was chosen."""
    monkeypatch.setattr("worker.cli.service.options.REACH_S", 1.0)
    path = tmp_path / "fraud.json"
    path.write_text(
        dsl(
            {
                "id": "n",
                "type": "Arithmetic",
                "params": {"left": "a", "op": "+", "right": 1, "into": "b"},
            }
        )
    )
    for options, name in (((), "fraud"), (("--id", "mine"), "mine")):
        done = rtml("service", "publish", path, *options, *NOWHERE)
        assert done.code == 3
        assert done.err.splitlines()[0] == f"events: {name}-events (a), scored: {name}-scored"
    assert files(store) == []


def test_all_problems_of_a_graph_are_told(rtml: Rtml, graph: Path) -> None:
    """Those of its shape do not hide those of its nodes."""
    file = graph / "graph.yaml"
    file.write_text(file.read_text().replace("lr.onnx", "none.onnx") + "\ndelivry: {}\n")
    done = rtml("service", "publish", graph, *NOWHERE)
    assert done.code == 2
    assert ("delivry" in done.err, "none.onnx" in done.err) == (True, True)


@pytest.mark.parametrize(
    ("workers", "told"),
    [
        (0, "drained already, for no worker is there\n"),
        (1, "drained by 1 worker\n"),
        (2, "drained by 2 workers\n"),
    ],
)
def test_who_did_it_is_told(capsys: pytest.CaptureFixture[str], workers: int, told: str) -> None:
    """How many workers, or that there was none."""
    there = [presence(f"w{i}", 0) for i in range(workers)]
    outcome = Outcome(service("fraud"), there, reached=True)
    tell((outcome, {}), "drained", Output.TABLE, no_wait=False)
    assert capsys.readouterr() == ("fraud version 1\n", told)
