"""The wheel: the same bytes whenever and wherever it is built, and nothing in it but the worker."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ["pyproject.toml", "README.md", "LICENSE"]


def build(folder: Path, built_at_s: int) -> Path:
    """Builds the wheel from a copy of the project whose files are as old as told."""
    code = folder / "worker"
    shutil.copytree(ROOT / "worker", code, ignore=shutil.ignore_patterns("__pycache__"))
    for name in NEEDED:
        shutil.copy(ROOT / name, folder)
    for path in folder.rglob("*"):
        os.utime(path, (built_at_s, built_at_s))
    command = [
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "--target",
        "wheel",
        "--directory",
        "out",
    ]
    environment = {k: v for k, v in os.environ.items() if k != "SOURCE_DATE_EPOCH"}
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    [wheel] = (folder / "out").iterdir()
    return wheel


def test_two_builds_are_the_same_bytes(tmp_path: Path) -> None:
    """Neither the folder's name nor the files' times change a byte of it."""
    wheels = [build(tmp_path / f"at-{at_s}", at_s) for at_s in (1_000_000_000, 1_700_000_000)]
    assert wheels[0].read_bytes() == wheels[1].read_bytes()
    names = zipfile.ZipFile(wheels[0]).namelist()
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"worker", "rtml_worker"}
    assert "worker/py.typed" in names
