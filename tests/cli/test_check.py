"""``rtml check``."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Rtml, change
from tests.nodes.support import DATA


def test_a_sound_graph_is_traced(rtml: Rtml, graph: Path) -> None:
    """Event field, nodes, place in the model input, and where each output comes from."""
    done = rtml("check", graph)
    assert (done.code, done.err) == (0, "1 graph, no problems\n")
    assert done.out.splitlines() == [
        "fraud: 3 nodes",
        f"  file          {graph}/graph.yaml",
        "  source        tx",
        "  sink          tx-scored (merge)",
        "  dead letters  tx-dlq",
        "  delivery      at least once",
        "",
        "  models, tried alone and in batches",
        "    lr.onnx  357 bytes  ai.onnx 17, ai.onnx.ml 1  the same bits in any batch",
        "",
        "  model lr.onnx in 'score', input 'X' float32[n, 2]",
        "    f0  -> positive -> small  -> X[0]  f0  float64",
        "    f1                        -> X[1]  f1  float64",
        "",
        "  fields written by the sink",
        "    score.probabilities[1]    -> score  float32",
        "",
        "  other event fields",
        "    who.name   text  nothing reads it",
        "    who.known  bool  nothing reads it",
        "",
    ]


def test_the_file_itself_will_do(rtml: Rtml, graph: Path) -> None:
    """GRAPH is a folder or the file in it."""
    assert rtml("check", graph / "graph.yaml") == rtml("check", graph)


def test_the_trace_as_json(rtml: Rtml, graph: Path) -> None:
    """``--output json`` is the same for programs; only JSON is on stdout."""
    [report] = rtml("check", graph, "--output", "json").json
    assert (report["ok"], report["name"], report["topics"]) == (True, "fraud", ["tx-scored"])
    assert report["inputs"][0]["features"][0] == {
        "position": 0,
        "column": "f0",
        "type": "float64",
        "from": [{"origin": "f0", "nodes": ["positive", "small"]}],
    }
    assert report["outputs"] == [
        {
            "field": "score",
            "type": "float32",
            "from": [{"origin": "score.probabilities[1]", "nodes": []}],
        }
    ]
    assert list(report["models"]) == ["lr.onnx"]


def test_every_problem_is_told_with_its_line(rtml: Rtml, graph: Path) -> None:
    """Wrong params, columns and topics come together, in the order of their lines."""
    change(graph, "rules: {f0", "rules: {f00")
    change(graph, "outputs", "output")
    change(graph, "sink: {topic: tx-scored}", "sink: {topic: tx}")
    done = rtml("check", graph)
    file = graph / "graph.yaml"
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [
        f"{file}:13 nodes[1].params.rules.f00: no column 'f00' reaches this node; "
        "did you mean 'f0'?",
        f"{file}:16 nodes[2].params.output: is no known key; did you mean 'outputs'?",
        f"{file}:17 sink.topic: is the source's own topic: an endless loop",
        "3 problems",
    ]


def test_problems_of_a_schema_beside_the_graph_name_its_file(rtml: Rtml, graph: Path) -> None:
    """A schema in a file of its own has its own lines."""
    text = (graph / "graph.yaml").read_text()
    begin, end = text.index("  schema:"), text.index("nodes:")
    (graph / "graph.yaml").write_text(text[:begin] + "  schema: s.json\n" + text[end:])
    (graph / "s.json").write_text('{"properties": {\n"f0": {"type": "numbr"}}}')
    done = rtml("check", graph)
    assert done.code == 2
    assert done.err.splitlines()[0].startswith(f"{graph}/s.json:2 properties.f0.type: must be one")


def test_all_graphs_are_checked(rtml: Rtml, graph: Path, tmp_path: Path) -> None:
    """One refused graph does not hide the others."""
    done = rtml("check", tmp_path, graph, tmp_path / "none.yaml")
    assert done.code == 2
    assert done.out.startswith("fraud: 3 nodes\n")
    assert done.err.splitlines() == [
        f"{tmp_path} there is no graph.yaml in this folder",
        f"{tmp_path}/none.yaml cannot be read: No such file or directory",
        "2 problems in 2 files",
    ]


def test_problems_as_json(rtml: Rtml, graph: Path) -> None:
    """Refused graphs are in the JSON too, with their problems."""
    change(graph, "lr.onnx", "missing.onnx")
    done = rtml("check", graph, "-o", "json")
    assert done.code == 2
    [report] = done.json
    [problem] = report["problems"]
    assert (report["ok"], problem["line"], problem["path"]) == (False, 16, "nodes[2].params.model")
    assert problem["message"] == "model 'missing.onnx' cannot be read: No such file or directory"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\x7fELF\x02\xff\xfe", "cannot be read: is not UTF-8 text"),
        (b"", "a graph is a mapping: name, source, nodes, sink"),
        (b"just words", "a graph is a mapping: name, source, nodes, sink"),
        (b"name: [", "expected the node content, but found '<stream end>'"),
        (b"a: &x 1", "anchors and aliases are not supported; write it out"),
    ],
)
def test_files_that_are_no_graph(rtml: Rtml, tmp_path: Path, content: bytes, problem: str) -> None:
    """Whatever the file holds: a message, exit 2, no traceback."""
    path = tmp_path / "graph.yaml"
    path.write_bytes(content)
    done = rtml("check", path)
    assert done.code == 2
    assert problem in done.err
    assert done.err.endswith("\n1 problem\n")


def test_a_graph_in_adobes_envelope(rtml: Rtml, tmp_path: Path) -> None:
    """Problems of a graph in the envelope have the path from the outside."""
    path = tmp_path / "graph.json"
    path.write_text('{"edge": {"applicationDsl": {"name": "g", "nodes": []}}}')
    done = rtml("check", path)
    assert done.code == 2
    assert "edge.applicationDsl.source: is required" in done.err


def test_a_model_with_data_outside_is_refused(rtml: Rtml, graph: Path) -> None:
    """Models are inspected before they are loaded; the reason stands at the node."""
    shutil.copy(DATA / "external.onnx", graph / "external.onnx")
    change(graph, "lr.onnx", "external.onnx")
    done = rtml("check", graph)
    assert done.code == 2
    assert done.err.startswith(f"{graph}/graph.yaml:16 nodes[2].params.model: 'external.onnx' ")
    assert "external" in done.err
