"""The notebooks, top to bottom, against a real worker on real Kafka."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from notebooks.write import FOLDER, NOTEBOOKS, content
from tests.kafka.worker import ROOT
from worker.authoring import EdgeUtils, GraphBuilder, JsonToDataframe, ModelUpload, ONNXNode, Pandas
from worker.errors import ConfigError, ModelError

DATA = ROOT / "tests" / "data"
TIMEOUT_S = 100.0

pytestmark = pytest.mark.timeout(180)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(one, marks=pytest.mark.long if "insurance" in one else ())
        for one in NOTEBOOKS.values()
    ],
)
@pytest.mark.usefixtures("place_worker")
def test_a_notebook_runs_top_to_bottom(name: str, tmp_path: Path) -> None:
    """Every cell of the file runs in order; its own assertions compare the three ways to score."""
    (tmp_path / "graphs").symlink_to(ROOT / "graphs")
    cells = json.loads((FOLDER / name).read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, "-c", "\n\n".join(code)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]


@pytest.mark.parametrize("script", list(NOTEBOOKS))
def test_notebook_and_script_are_the_same(script: str) -> None:
    """The notebook is what `notebooks/write.py` makes of its script."""
    written = (FOLDER / NOTEBOOKS[script]).read_text(encoding="utf-8")
    assert written == content(FOLDER / script)


def graph(model_id: str, **params: Any) -> str:
    """Two features into a model."""
    nodes = [
        JsonToDataframe(params={}),
        Pandas(params={"import": "fillna", "kwargs": {"value": 0}}),
        ONNXNode(params={"features": ["f0", "f1"], "model_id": model_id, **params}),
    ]
    edges = [(nodes[i], nodes[i + 1]) for i in range(len(nodes) - 1)]
    return GraphBuilder.generate_dsl(nodes=nodes, edges=edges)


def uploaded() -> str:
    """The id of a small model in the store."""
    upload = ModelUpload(params={"model_path": str(DATA / "lr.onnx"), "name": "lr"})
    found: str = upload.process(None, 1).model["model_id"]
    return found


@pytest.mark.usefixtures("place_worker")
def test_the_calls_of_edge_utils(capsys: pytest.CaptureFixture[str]) -> None:
    """Publish, score, update, list and delete, also from within a running loop."""
    dsl = graph(uploaded())
    edge_utils = EdgeUtils()

    async def in_a_notebook() -> tuple[str, str]:
        return edge_utils.publish_to_edge(dsl)

    (edge_location, service_id) = asyncio.run(in_a_notebook())
    assert edge_location.endswith(f"/services/{service_id}/score")
    said = capsys.readouterr().out
    assert f"events: {service_id}-events, scored: {service_id}-scored" in said
    assert json.loads(said.partition(":\n")[2])["properties"] == {
        "f0": {"type": "number"},
        "f1": {"type": "number"},
    }

    data = {"f0": {0: 2.0, 1: None}, "f1": {0: 1.0, 1: -3}}
    by_columns = edge_utils.score_edge(
        edge_location=edge_location, service_id=service_id, scoring_data=data
    )
    events = [{"f0": 2.0, "f1": 1.0}, {"f1": -3}]
    base = edge_location.partition("/services")[0]
    by_events = edge_utils.score_edge(base, service_id, json.dumps(events))
    labels = [answer["event"]["label"] for answer in by_columns]
    assert labels == [answer["event"]["label"] for answer in by_events] == [1, 0]

    named = graph(uploaded(), outputs={"score": "probabilities[1]"})
    assert capsys.readouterr().out == "fields of an event that the graph asks for: f0, f1\n"
    (url, same_id, served) = edge_utils.update_deployment(dsl=named, service_id=service_id)
    assert (url, same_id, json.loads(served)) == (edge_location, service_id, json.loads(named))
    assert capsys.readouterr().out == ""
    (updated,) = edge_utils.score_edge(edge_location, service_id, events[:1])
    assert set(updated["event"]) == {"f0", "f1", "score"}

    (listed,) = [one for one in edge_utils.list_deployed_services() if one["id"] == service_id]
    assert (listed["type"], listed["deprecated"], listed["versions"]) == ("edge", False, [1, 2])
    assert listed["created"] < listed["updated"]
    assert list(listed["models"]) == ["lr@1"]
    assert list(listed["workers"].values()) == ["serving"]

    assert edge_utils.delete_from_edge(service_id=service_id) is True
    assert edge_utils.delete_from_edge(service_id=service_id) is False
    with pytest.raises(ConfigError, match="there is no such service"):
        edge_utils.update_deployment(dsl=dsl, service_id=service_id)


def test_nobody_is_there(place: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """Without a worker the service is registered, which is said, and has no URL."""
    edge_utils = EdgeUtils()
    (edge_location, service_id) = edge_utils.publish_to_edge(graph(uploaded()), wait_s=1.0)
    assert edge_location == ""
    assert f"no worker serves location '{place['RTML_LOCATION']}'" in capsys.readouterr().out
    assert [one["id"] for one in edge_utils.list_deployed_services()] == [service_id]
    with pytest.raises(ConfigError, match="edge_location: is empty"):
        edge_utils.score_edge(edge_location, service_id, [{"f0": 1}])
    edge_utils.delete_from_edge(service_id, wait_s=1.0)


@pytest.mark.usefixtures("place")
def test_a_wrong_graph_is_not_published() -> None:
    """A model that the store does not have, a location that is none: told, nothing registered."""
    with pytest.raises(ConfigError, match=r"^location: 'a b': letters, digits"):
        EdgeUtils(location="a b").publish_to_edge(graph(uploaded()))
    edge_utils = EdgeUtils()
    with pytest.raises(ConfigError, match="nobody"):
        edge_utils.publish_to_edge(graph("nobody@1"))
    assert edge_utils.list_deployed_services() == []


@pytest.mark.usefixtures("place_worker")
def test_a_graph_that_a_worker_cannot_load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A model in a store that the worker does not reach: its reason comes back."""
    monkeypatch.setenv("RTML_MODEL_STORE", str(tmp_path / "elsewhere"))
    with pytest.raises(ModelError, match="lr"):
        EdgeUtils().publish_to_edge(graph(uploaded()))
