"""Runs `rtml` inside the test process: as fast as a call, with the real exit codes."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from worker.cli import main

ROOT = Path(__file__).parent.parent.parent
DATA = ROOT / "tests" / "data"


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its stdout as JSON."""
        return json.loads(self.out)


Rtml = Callable[..., Done]


@pytest.fixture
def rtml(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Rtml:
    """``rtml("check", path)`` runs the command line; ``stdin`` is what is piped into it."""

    def run(*arguments: str | Path, stdin: bytes = b"") -> Done:
        monkeypatch.setattr(sys, "argv", ["rtml", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capfd.readouterr()
        return Done(int(ended.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def shell() -> Callable[[str], Done]:
    """Runs a line of shell in which ``rtml`` is the command, as a process of its own."""

    def run(line: str) -> Done:
        program = f'rtml() {{ "{sys.executable}" -m worker "$@"; }}; set -o pipefail; {line}'
        done = subprocess.run(
            ["bash", "-c", program],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "NO_COLOR": "1"},
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run


GRAPH = """\
name: fraud
source:
  topic: tx
  schema:
    type: object
    required: [f0]
    properties:
      f0: {type: number}
      f1: {type: number, default: 1}
      who: {type: object, properties: {name: {type: string}, known: {type: boolean}}}
nodes:
  - {id: positive, type: Filter, params: {column: f0, op: ge, value: 0, reason: negative}}
  - {id: small, type: Validate, params: {rules: {f0: {max: 100}}}}
  - id: score
    type: ONNXNode
    params: {model: lr.onnx, features: [f0, f1], outputs: {score: "probabilities[1]"}}
sink: {topic: tx-scored}
"""


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """A folder with a graph of three nodes and its model; 0 to 100 are scored, 0 has 0.5."""
    folder = tmp_path / "fraud"
    folder.mkdir()
    (folder / "graph.yaml").write_text(GRAPH)
    (folder / "lr.onnx").write_bytes((DATA / "lr.onnx").read_bytes())
    return folder


def change(graph: Path, old: str, new: str) -> None:
    """Replaces text in the graph file."""
    path = graph / "graph.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
