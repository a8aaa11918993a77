"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from worker.files import write_whole


def test_it_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    """Who has that one open reads on in it; nothing else is in the folder."""
    path = tmp_path / "model.onnx"
    path.write_bytes(b"before")
    with path.open("rb") as reading:
        write_whole(path, b"after")
        assert reading.read() == b"before"
    assert path.read_bytes() == b"after"
    assert os.listdir(tmp_path) == ["model.onnx"]


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    """A folder stands in its place."""
    (tmp_path / "model.onnx").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path / "model.onnx", b"after")
    assert os.listdir(tmp_path) == ["model.onnx"]
