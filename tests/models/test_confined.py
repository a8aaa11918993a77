"""Confined: what tries a model opens nothing but the model, and reaches nobody."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from worker.models import landlock

ROOT = Path(__file__).parents[2]
TRY = """
import contextlib, json, os, socket, subprocess, sys
from pathlib import Path
from worker.models import confined

def outcome(act):
    try:
        act()
    except OSError as error:
        return type(error).__name__
    return "done"

def task(paths, most, depth):
    model, secret, folder, port = paths
    link = folder / "link.onnx"
    around = model.parent / ".." / secret.parent.name / secret.name
    address = ("127.0.0.1", int(port.name))
    return {
        "the model": outcome(model.read_bytes),
        "a file": outcome(secret.read_bytes),
        "a link to it": outcome(link.read_bytes),
        "by its parent": outcome(around.read_bytes),
        "a folder": outcome(lambda: os.listdir(folder)),
        "passwords": outcome(Path("/etc/passwd").read_bytes),
        "the environment of others": outcome(Path("/proc/1/environ").read_bytes),
        "writing": outcome(lambda: (folder / "new").write_bytes(b"x")),
        "an empty file": outcome((folder / "empty").touch),
        "a temporary file": outcome(Path("/tmp/rtml-confined").touch),
        "writing the model": outcome(lambda: model.write_bytes(b"")),
        "deleting": outcome(secret.unlink),
        "a new folder": outcome((folder / "made").mkdir),
        "a new link": outcome(lambda: (folder / "sym").symlink_to(secret)),
        "a program": outcome(lambda: subprocess.run(["/bin/true"])),
        "a connection": outcome(lambda: socket.create_connection(address, 5)),
    }

confined.answer(task, lambda paths: paths[:1])
"""
FREE = {"the model"}


def supported() -> bool:
    """Whether the kernel can do it; asked in a process of its own, as it cannot be undone."""
    code = "from worker.models.landlock import confine; print(confine([], []))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip() == "True"


needs_landlock = pytest.mark.skipif(not supported(), reason="the kernel has no Landlock")


@needs_landlock
def test_nothing_outside_is_opened(tmp_path: Path) -> None:
    """No file, folder, program or server but the model itself, whatever it is called."""
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    model, secret = inside / "m.onnx", outside / "secret"
    model.write_bytes(b"model")
    secret.write_bytes(b"secret")
    (inside / "link.onnx").symlink_to(secret)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        limits = ["1000", "60", str(2**31), "16"]
        done = subprocess.run(
            [sys.executable, "-c", TRY, str(model), str(secret), str(inside), port, *limits],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
    found = json.loads(done.stdout.splitlines()[-1])
    assert {name for name, outcome in found.items() if outcome == "done"} == FREE
    assert set(found.values()) <= {"done", "PermissionError"}
    assert (model.read_bytes(), secret.read_bytes()) == (b"model", b"secret")
    assert sorted(path.name for path in inside.iterdir()) == ["link.onnx", "m.onnx"]


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_where_there_is_no_landlock(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    """The other limits remain; nothing is taken away."""
    monkeypatch.setattr(sys, "platform", platform)
    assert landlock.confine([], []) is False
