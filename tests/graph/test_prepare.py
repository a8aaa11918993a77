"""Prepare: models of the store and models beside a graph, before it is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.graph.support import DATA, graph, node
from worker.errors import ConfigError, Problem
from worker.graph.plan import plan
from worker.graph.prepare import prepare
from worker.graph.spec import parse
from worker.models.file import ModelFile
from worker.models.store.store import Store


def score(model: str, id_: str = "score") -> dict[str, object]:
    """A node that runs a model of two features."""
    outputs = {f"{id_}d": "probabilities[1]"}
    return node(id_, "ONNXNode", model=model, features=["a", "b"], outputs=outputs)


def never() -> Store:
    """Nobody may ask for a store."""
    raise AssertionError


def problems(*nodes: dict[str, object], folder: Path | None, store: Store) -> list[Problem]:
    """Why a graph is refused."""
    with pytest.raises(ConfigError) as caught:
        prepare(parse(graph(*nodes)), folder, lambda: store, inspected=True)
    return list(caught.value.problems)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store that has fraud@1, the champion."""
    found = Store(str(tmp_path / "store"), tmp_path / "cache")
    found.push(DATA / "lr.onnx", "fraud", alias="champion")
    return found


def test_a_graph_without_a_folder(store: Store) -> None:
    """As it comes from a registry: its models are those of the store."""
    made, reports = prepare(parse(graph(score("fraud@champion"))), None, lambda: store)
    assert list(made.models) == ["fraud@1"]
    assert reports["fraud@1"].batch_invariant is True


def test_files_need_a_folder(store: Store) -> None:
    """A model and a schema beside a graph that has no folder: each with its way out."""
    spec = graph(score("lr.onnx"))
    spec["source"]["schema"] = "schema.json"
    with pytest.raises(ConfigError) as caught:
        prepare(parse(spec), None, lambda: store)
    assert [(p.path, p.message.partition(", ")[2]) for p in caught.value.problems] == [
        ("source.schema", "and this graph has no folder; write the schema inline"),
        (
            "nodes[0].params.model",
            "and this graph has no folder; push it (rtml model push lr.onnx --name NAME) "
            "and name it NAME@VERSION",
        ),
    ]


def test_the_store_is_opened_only_for_its_models() -> None:
    """A graph whose models lie beside it needs no store."""
    made, reports = prepare(parse(graph(score("lr.onnx"))), DATA, never, inspected=True)
    assert (list(made.models), list(reports)) == (["lr.onnx"], ["lr.onnx"])


def test_every_problem_of_every_model_at_once(store: Store) -> None:
    """Unknown in the store, refused by inspection, not beside the graph, and a wrong column."""
    nodes = [score("fraud@7", "s1"), score("external.onnx", "s2"), score("none.onnx", "s3")]
    drop = node("drop", "Drop", columns=["zz"])
    found = problems(drop, *nodes, folder=DATA, store=store)
    assert [problem.path for problem in found] == [
        "nodes[0].params.columns[0]",
        *(f"nodes[{i}].params.model" for i in (1, 2, 3)),
    ]


def test_a_store_that_cannot_be_used_is_told_at_the_node() -> None:
    """A wrong URL is a problem of the nodes that need it."""

    def refused() -> Store:
        raise ConfigError(Problem("RTML_MODEL_STORE", "is wrong"))

    with pytest.raises(ConfigError) as caught:
        prepare(parse(graph(score("fraud@1"))), DATA, refused)
    assert caught.value.problems == (
        Problem("nodes[0].params.model", "RTML_MODEL_STORE: is wrong"),
    )


def test_a_file_that_changes_after_it_was_verified(tmp_path: Path) -> None:
    """What is loaded has the digest that the store has told."""
    path = tmp_path / "m.onnx"
    path.write_bytes((DATA / "lr.onnx").read_bytes())
    models = {"fraud@1": ModelFile("fraud@1", path, "0" * 64)}
    with pytest.raises(ConfigError, match="'fraud@1' was changed after it had been verified"):
        plan(parse(graph(score("fraud@1"))), DATA, models)


def test_a_plan_without_a_store(tmp_path: Path) -> None:
    """Who plans without asking a store is told so."""
    with pytest.raises(ConfigError, match="'fraud@1' is a model of a store, and no store was"):
        plan(parse(graph(score("fraud@1"))), tmp_path)
