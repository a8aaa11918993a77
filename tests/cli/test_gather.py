"""What is wrong with one command is told at once: flags, variables and graphs together."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Rtml, change


def places(err: str) -> list[str]:
    """Where the problems are: a flag, a variable, or the file."""
    return [line.partition(" ")[0].rstrip(":") for line in err.splitlines()]


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch, graph: Path, tmp_path: Path) -> Path:
    """A graph with an unknown column, under two variables that are wrong."""
    monkeypatch.setenv("RTML_HTTP_PORT", "many")
    monkeypatch.setenv("RTML_LOG_LEVEL", "loud")
    monkeypatch.setenv("RTML_MODEL_STORE", str(tmp_path / "store"))
    change(graph, "column: f0, op: ge", "column: f7, op: ge")
    return graph


def test_run(rtml: Rtml, broken: Path) -> None:
    """`run` tells arguments that exclude each other, flags, variables and the graph together."""
    done = rtml("run", broken, "--brokers", "a:0", "--location", "x")
    assert (done.code, places(done.err)) == (
        2,
        [
            "--location",
            "--brokers",
            "RTML_HTTP_PORT",
            "RTML_LOG_LEVEL",
            f"{broken}/graph.yaml:12",
            "5",
        ],
    )


def test_run_with_replicas(rtml: Rtml, broken: Path) -> None:
    """So it does before it starts replicas."""
    done = rtml("run", broken, "--replicas", "2")
    assert (done.code, places(done.err)[:2]) == (2, ["RTML_HTTP_PORT", "RTML_LOG_LEVEL"])
    assert done.err.endswith("\n3 problems in 2 files\n")


def test_topics_create(rtml: Rtml, broken: Path) -> None:
    """Settings and graph; Kafka is not asked."""
    done = rtml("topics", "create", broken)
    found = ["RTML_HTTP_PORT", "RTML_LOG_LEVEL", f"{broken}/graph.yaml:12", "3"]
    assert (done.code, places(done.err)) == (2, found)


def test_service_publish(rtml: Rtml, broken: Path, tmp_path: Path) -> None:
    """Settings, names and graph; nothing is pushed to the store."""
    done = rtml("service", "publish", broken, "--id", "a b", "--brokers", "a:0")
    found = ["--brokers", "RTML_HTTP_PORT", "RTML_LOG_LEVEL", "--id", f"{broken}/graph.yaml:12"]
    assert (done.code, places(done.err)[:-1]) == (2, found)
    change(broken, "column: f7, op: ge", "column: f0, op: ge")
    assert rtml("service", "publish", broken, "--id", "a b").code == 2
    assert not (tmp_path / "store").exists()


def test_service_update(rtml: Rtml, broken: Path) -> None:
    """Settings and graph."""
    done = rtml("service", "update", "fraud", broken)
    found = ["RTML_HTTP_PORT", "RTML_LOG_LEVEL", f"{broken}/graph.yaml:12"]
    assert (done.code, places(done.err)[:-1]) == (2, found)


def test_a_setting_is_told_once(rtml: Rtml, broken: Path) -> None:
    """A graph that has no model because of a setting does not tell the setting again."""
    change(broken, "lr.onnx", "lr@1")
    done = rtml("topics", "create", broken)
    found = ["RTML_HTTP_PORT", "RTML_LOG_LEVEL", f"{broken}/graph.yaml:12"]
    assert (done.code, places(done.err)[:-1]) == (2, found)


@pytest.mark.usefixtures("broken")
def test_dataset_export(rtml: Rtml, tmp_path: Path) -> None:
    """Settings, the start, the schema and the file that would be written over."""
    schema = tmp_path / "schema.json"
    schema.write_text('{"type": "objct"}')
    done = rtml("dataset", "export", "tx", "--out", schema, "--schema", schema, "--from", "soon")
    assert done.code == 2
    for told in ("RTML_HTTP_PORT", "RTML_LOG_LEVEL", "soon", "objct", "is read by this command"):
        assert told in done.err, done.err
