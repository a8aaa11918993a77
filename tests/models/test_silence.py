"""What ONNX Runtime would send home."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TRACE = ".ses"
"""File that the uploader of ONNX Runtime makes in the temporary folder when it starts."""

LOAD = """
from pathlib import Path
from worker.models.session import Session
Session(Path("tests/data/lr.onnx"), "lr.onnx")
"""


def traces(code: str, folder: Path) -> list[str]:
    """Files that a fresh interpreter leaves in its temporary folder."""
    # Nothing of our surroundings: the uploader stays away by itself where CI is set.
    environ = {"PATH": os.defpath, "PYTHONPATH": os.curdir, "TMPDIR": str(folder)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environ, timeout=60)
    return [path.name for path in folder.iterdir()]


def test_no_uploader_is_started(tmp_path: Path) -> None:
    """Loading a model leaves no trace of the uploader."""
    assert traces(LOAD, tmp_path) == []


def test_the_trace_is_what_tells(tmp_path: Path) -> None:
    """The import alone leaves it without the switch, so the test above can fail."""
    assert traces("import onnxruntime", tmp_path) == [TRACE]
