"""``rtml service`` where Kafka is not there, or the request is refused before it is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Done, Rtml

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
