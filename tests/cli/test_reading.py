"""Files that are read, and what would keep the reader waiting."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Done, Rtml, change
from worker.files import open_file, open_stream


def test_regular_files_are_read(tmp_path: Path) -> None:
    """Also through a symbolic link."""
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    for opened in (open_file, open_stream):
        with opened(tmp_path / "b") as file:
            assert file.read() == b"x"


@pytest.mark.timeout(20)
def test_pipes_and_devices_are_no_files(tmp_path: Path) -> None:
    """A pipe nobody writes to is not waited for; a device that never ends is not begun."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path(os.devnull), Path("/dev/zero")):
        with pytest.raises(OSError, match="is no regular file"):
            open_file(path)
    with pytest.raises(OSError, match="is no regular file"):
        open_stream(Path("/dev/zero"))
    with open_stream(Path(os.devnull)) as file:
        assert file.read() == b""


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", ["graph", "schema", "model", "cases", "samples", "data schema"])
def test_no_command_waits_for_a_pipe(rtml: Rtml, graph: Path, kind: str) -> None:
    """As graph, schema, model, cases or sample events: exit 2, and which file it is."""
    pipe = graph / "pipe.yaml"
    arguments: list[str | Path] = ["check", graph]
    if kind == "graph":
        arguments = ["check", pipe]
    elif kind == "schema":
        text = (graph / "graph.yaml").read_text()
        inline = text[text.index("  schema:") : text.index("nodes:")]
        change(graph, inline, "  schema: pipe.yaml\n")
    elif kind == "model":
        change(graph, "lr.onnx", "pipe.yaml")
    elif kind == "cases":
        pipe, arguments = graph / "cases.yaml", ["test", graph]
    elif kind == "samples":
        pipe, arguments = graph / "events.jsonl", ["demo", "--graph", graph]
    else:
        arguments = ["dataset", "check", graph / "graph.yaml", "--schema", pipe]
    os.mkfifo(pipe)
    done = rtml(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "cannot be read: is no regular file" in done.err
    assert pipe.name in done.err


def test_events_may_come_from_a_pipe(shell: Callable[[str], Done], graph: Path) -> None:
    """``rtml score graph <(command)`` scores what the command writes."""
    done = shell(f"rtml score {graph} <(echo '{{\"f0\": 1}}')")
    assert (done.code, len(done.out.splitlines())) == (0, 1)
    assert "is no regular file" in shell(f"rtml score {graph} /dev/zero").err
