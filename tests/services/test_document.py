"""A graph as it is published: nothing of it lies beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from worker.graph.spec import parse
from worker.models.store.store import Store
from worker.services.document import self_contained

DATA = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize("param", ["model", "model_id"])
def test_a_model_beside_the_graph_is_pushed(tmp_path: Path, param: str) -> None:
    """Under both names of the param; the published graph names the version."""
    shutil.copy(DATA / "lr.onnx", tmp_path)
    fields = {name: {"type": "number"} for name in ("f0", "f1")}
    params = {param: "lr.onnx", "features": ["f0", "f1"], "outputs": {"score": "probabilities[1]"}}
    graph = {
        "name": "fraud",
        "source": {"topic": "tx", "schema": {"type": "object", "properties": fields}},
        "nodes": [{"id": "score", "type": "ONNXNode", "params": params}],
        "sink": {"topic": "tx-scored"},
    }
    store = Store(str(tmp_path / "store"), tmp_path / "cache")
    spec, plan = self_contained(parse(graph), tmp_path, store)
    assert spec.nodes[0].params[param] == "fraud-score@1"
    assert list(plan.models) == ["fraud-score@1"]
