"""``rtml model``, and graphs that name models of the store."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.cli.conftest import DATA, Rtml, change
from tests.net import free_ports
from worker.cli.loading import load_graph
from worker.stream.lineage import Lineage

LR, TREES = DATA / "lr.onnx", DATA / "trees.onnx"
SHA256 = hashlib.sha256(LR.read_bytes()).hexdigest()


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store of the settings: an empty folder."""
    folder = tmp_path / "store"
    monkeypatch.setenv("RTML_MODEL_STORE", str(folder))
    return folder


def test_push_and_list(rtml: Rtml) -> None:
    """A push says the model's id; list shows what graphs and people need to know."""
    done = rtml("model", "push", LR, "--name", "fraud", "--alias", "champion", "--metric", "auc=.9")
    assert done == (type(done))(0, f"fraud@1  357 bytes, sha256 {SHA256}\n", "")
    assert "the store had it already" in rtml("model", "push", LR, "--name", "fraud").out
    pushed = rtml("model", "push", TREES, "--name", "fraud", "--output", "json").json
    assert (pushed["model_id"], pushed["new"]) == ("fraud@2", True)
    first, second = rtml("model", "list").out.splitlines()
    assert first.split()[:4] == ["fraud@1", "champion", "357", "bytes"]
    assert second.split()[:3] == ["fraud@2", "11,648", "bytes"]
    listed = rtml("model", "list", "--output", "json").json
    assert [(row["model_id"], row["aliases"], row["metrics"]) for row in listed] == [
        ("fraud@1", ["champion"], {"auc": 0.9}),
        ("fraud@2", [], {}),
    ]


def test_an_empty_store(rtml: Rtml, store: Path) -> None:
    """Nothing on stdout, where it was looked for on stderr; looking makes no folder."""
    done = rtml("model", "list")
    assert (done.code, done.out, done.err) == (0, "", f"no models in {store}\n")
    assert not store.exists()


def test_show(rtml: Rtml, tmp_path: Path) -> None:
    """A version, an alias, or the newest; what it was trained on is kept."""
    trained_on = {"type": "object", "properties": {"f0": {"type": "number"}}}
    (tmp_path / "schema.json").write_text(json.dumps(trained_on))
    rtml("model", "push", LR, "--name", "fraud", "--schema", tmp_path / "schema.json")
    rtml("model", "push", TREES, "--name", "fraud")
    rtml("model", "alias", "fraud", "champion", "1")
    assert rtml("model", "show", "fraud").out.startswith("fraud@2\n")
    shown = rtml("model", "show", "fraud@champion", "--output", "json").json
    assert (shown["model_id"], shown["aliases"], shown["versions"]) == (
        "fraud@1",
        ["champion"],
        ["1", "2"],
    )
    assert shown["inputs"] == {"X": {"dtype": "float32", "shape": [2]}}
    assert shown["training_schema"] == trained_on
    lines = rtml("model", "show", "fraud@1").out.splitlines()
    assert "  input     X float32[n, 2]" in lines
    assert "  schema    f0" in lines
    assert "  versions  1, 2" in lines


def test_pull(rtml: Rtml, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To a named file, or one named after the version, which is not overwritten."""
    monkeypatch.chdir(tmp_path)
    rtml("model", "push", LR, "--name", "fraud")
    assert rtml("model", "pull", "fraud@1").code == 0
    assert Path("fraud-1.onnx").read_bytes() == LR.read_bytes()
    again = rtml("model", "pull", "fraud@1")
    assert (again.code, again.err.splitlines()[0]) == (
        2,
        "fraud-1.onnx is there already; name another with --out",
    )
    pulled = rtml("model", "pull", "fraud@1", "--out", "m.onnx", "--output", "json")
    assert pulled.json == {"model_id": "fraud@1", "sha256": SHA256, "file": "m.onnx"}
    assert Path("m.onnx").read_bytes() == LR.read_bytes()


def test_delete(rtml: Rtml) -> None:
    """Not what an alias means, unless forced."""
    rtml("model", "push", LR, "--name", "fraud", "--alias", "champion")
    refused = rtml("model", "delete", "fraud@1")
    assert (refused.code, refused.err.splitlines()[0]) == (
        2,
        "fraud@1: is meant by champion; move the alias, or use --force",
    )
    assert rtml("model", "delete", "fraud@1", "--force").out == "fraud@1 is deleted\n"
    assert rtml("model", "list", "--output", "json").json == []


def test_every_wrong_argument_at_once(rtml: Rtml, store: Path, tmp_path: Path) -> None:
    """Names, metrics and the schema; exit code 2, and no store is made."""
    (tmp_path / "schema.json").write_text('{"type": "list"}')
    done = rtml(
        *("model", "push", LR, "--name", "a/b", "--version", ".."),
        *("--metric", "auc", "--metric", "x=nan", "--schema", tmp_path / "schema.json"),
    )
    assert done.code == 2
    assert [line.split(" ")[0] for line in done.err.splitlines()] == [
        *("--name:", "--version:", "--metric:", "--metric:"),
        f"{tmp_path}/schema.json:1",
        "5",
    ]
    assert not store.exists()


def test_a_refused_model(rtml: Rtml, store: Path) -> None:
    """Exit code 2 with the reason; the store is as before."""
    done = rtml("model", "push", DATA / "external.onnx", "--name", "fraud")
    assert (done.code, "holds tensor data outside the file" in done.err) == (2, True)
    assert not store.exists()


@pytest.mark.long
def test_a_store_that_is_away(rtml: Rtml, graph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 3, of the commands and of a graph whose only problem it is."""
    [port] = free_ports(1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tester")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "tested")
    away = rtml("model", "list", "--store", "s3://models/away")
    assert (away.code, "model store s3://models/away: listing failed" in away.err) == (3, True)
    monkeypatch.setenv("RTML_MODEL_STORE", "s3://models/away")
    change(graph, "lr.onnx", "fraud@1")
    done = rtml("check", graph)
    assert (done.code, "nodes[2].params.model: model store s3://" in done.err) == (3, True)
    change(graph, "column: f0", "column: f9")
    done = rtml("check", graph)
    assert (done.code, done.err.splitlines()[-1]) == (2, "2 problems")


def test_a_graph_scores_with_a_model_of_the_store(rtml: Rtml, graph: Path) -> None:
    """The same bytes as with the file; the alias is resolved once, lineage names the version."""
    events = b'{"f0": 1}\n{"f0": 0, "f1": 2}\n'
    beside = rtml("score", graph, stdin=events)
    rtml("model", "push", TREES, "--name", "fraud")
    rtml("model", "push", LR, "--name", "fraud", "--alias", "champion")
    (graph / "lr.onnx").unlink()
    change(graph, "lr.onnx", "fraud@champion")
    assert rtml("score", graph, stdin=events).out == beside.out
    plan = load_graph(graph).plan
    assert plan.models == {"fraud@2": SHA256}
    assert (
        dict(Lineage.of(plan, "fraud", "g").scored())["rtml-model"]
        == f"fraud@2:{SHA256[:12]}".encode()
    )
    [report] = rtml("check", graph, "--output", "json").json
    assert report["models"] == {"fraud@2": SHA256}
    assert report["inspected"]["fraud@2"]["batch_invariant"] is True
    assert report["inputs"][0]["model"] == "fraud@2"


def test_a_graph_names_what_the_store_does_not_have(rtml: Rtml, graph: Path) -> None:
    """At the node's line, with what there is, together with the other problems."""
    rtml("model", "push", LR, "--name", "fraud", "--alias", "champion")
    change(graph, "lr.onnx", "fraud@2")
    change(graph, "op: ge", "op: gee")
    done = rtml("check", graph)
    assert done.code == 2
    assert "nodes[2].params.model: 'fraud' has no version or alias '2'; it has: 1, champion" in (
        done.err
    )
    assert done.err.splitlines()[-1] == "2 problems"
    change(graph, "fraud@2", "frod@1")
    assert "has no model 'frod'; did you mean 'fraud'?" in rtml("check", graph).err


def test_a_model_that_mixes_its_events(rtml: Rtml, graph: Path) -> None:
    """Refused by push and check, each with its way out; check shows what was allowed."""
    mean = DATA / "mean_coupled.onnx"
    done = rtml("model", "push", mean, "--name", "mean")
    assert (done.code, "the events beside it: it differs by " in done.err) == (2, True)
    assert rtml("model", "push", mean, "--name", "mean", "--coupled").code == 0
    change(graph, "lr.onnx", "mean@1")
    change(graph, "features: [f0, f1]", "features: [f0]")
    change(graph, '"probabilities[1]"', "Y")
    done = rtml("check", graph)
    assert (done.code, "or allow it with rows: coupled" in done.err) == (2, True)
    change(graph, "features: [f0]", "rows: coupled, features: [f0]")
    assert "rows: coupled, results differ by " in rtml("check", graph).out
    [report] = rtml("check", graph, "--output", "json").json
    assert report["inspected"]["mean@1"]["batch_difference"] > 0.3
