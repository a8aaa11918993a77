"""A graph's text reaches nothing: no code, no file outside its folder, no server."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.graph.support import DATA, graph, node
from worker.errors import ConfigError
from worker.graph.plan import plan
from worker.graph.spec import parse

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
# In a process of its own: what watches a process cannot be taken away again.
TRIAL = """
import json, sys
from tests.graph.test_hostile import KINDS, planned, places, replaced
from worker.errors import ConfigError
from worker.nodes.registry import kinds
from worker.score import score

TEXTS = json.loads(sys.argv[1])
WATCHED = ("os.", "subprocess.", "socket.", "exec", "compile", "import", "ctypes.", "shutil.")
seen, watching = [], False

def hook(event, arguments):
    if watching and (event.startswith(WATCHED) or event == "open"):
        seen.append(f"{event} {arguments!r:.100}")

sys.addaudithook(hook)
tried = 0
for kind in KINDS:
    example = kinds()[kind].EXAMPLE
    params = json.loads(json.dumps(dict(example.params)))
    given = [json.dumps({name: values[0] for name, values in example.given.items() if values})]
    events = [event.encode() for event in given]
    try:  # loads whatever is loaded once
        score(planned(kind, params), [*events, b"{"])
    except ConfigError:  # the example writes no column
        pass
    for place in places(params):
        for text in TEXTS:
            hostile = replaced(params, place, text)
            watching = True
            try:
                score(planned(kind, hostile), events)
            except ConfigError:
                pass
            finally:
                watching = False
            tried += 1
print(json.dumps({"tried": tried, "seen": sorted(set(seen))}))
"""
TEXTS = [
    "__import__('os').system('touch /tmp/rtml-reached')",
    "os.system",
    "a.__class__.__mro__[1].__subclasses__()",
    "sklearn.os.system",
    "to_pickle",
    "{0.__class__}",
    "/etc/passwd",
    "../../../../etc/passwd",
    "file:///etc/passwd",
    "http://127.0.0.1:9/x",
    "s3://bucket/x",
    "\\\\host\\share",
]


def test_no_text_of_a_param_does_anything() -> None:
    """Code, modules, methods, paths and URLs at every place of every kind are names, or refused."""
    done = subprocess.run(
        [sys.executable, "-c", TRIAL, json.dumps(TEXTS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["tried"] > 1_000
    assert found["seen"] == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A graph's folder, with links that lead out of it, beside what is not its own."""
    own, other = tmp_path / "own", tmp_path / "other"
    own.mkdir()
    other.mkdir()
    shutil.copy(DATA / "lr.onnx", other / "lr.onnx")
    (other / "schema.json").write_text(
        '{"type": "object", "properties": {"a": {"type": "number"}}}'
    )
    (own / "link").symlink_to(other)
    (own / "lr.onnx").symlink_to(other / "lr.onnx")
    (own / "schema.json").symlink_to(other / "schema.json")
    (own / "loop").symlink_to("loop")
    return own


def places_of(name: str, folder: Path) -> list[str]:
    """Ways to a file outside of the folder."""
    other = folder.parent / "other" / name
    return [
        *(str(other), f"../other/{name}", f"link/{name}", name, f"./link/../../other/{name}"),
        *(f"file://{other}", f"http://127.0.0.1:9/{name}", f"s3://b/{name}", f"~/{name}"),
        *(f"loop/{name}", f"{name}\0", f"/proc/self/cwd/{name}", "/dev/zero", ".", ""),
    ]


def refusals(data: dict[str, Any], folder: Path) -> list[str]:
    """The paths of what is wrong with a graph."""
    with pytest.raises(ConfigError) as caught:
        plan(parse(data), folder)
    return [problem.path for problem in caught.value.problems]


@pytest.mark.parametrize("i", range(15))
def test_a_model_outside_the_folder(folder: Path, i: int) -> None:
    """However the way is written: it is refused, and nothing is opened there."""
    model = places_of("lr.onnx", folder)[i]
    made = node(
        "m", "ONNXNode", model=model, features=["a", "b"], outputs={"p": "probabilities[1]"}
    )
    assert refusals(graph(made), folder)[0].startswith("nodes[0]")


@pytest.mark.parametrize("i", range(15))
def test_a_schema_outside_the_folder(folder: Path, i: int) -> None:
    """However the way is written."""
    schema = places_of("schema.json", folder)[i]
    source = {"topic": "in", "schema": schema}
    made = graph(node("c", "Copy", columns={"a": "b"}), source=source)
    assert refusals(made, folder)[0] in ("source.schema", "")


def test_files_of_the_folder_are_found(folder: Path) -> None:
    """What is refused above is so for its place."""
    for name in ("lr.onnx", "schema.json"):
        (folder / name).unlink()
        shutil.copy(folder.parent / "other" / name, folder / name)
    made = node("m", "ONNXNode", model="lr.onnx", features=["a", "b"], outputs={"p": "label"})
    assert plan(parse(graph(made)), folder).models
    source = {"topic": "in", "schema": "schema.json"}
    assert plan(parse(graph(node("c", "Copy", columns={"a": "b"}), source=source)), folder)
