"""An environment for each peer, made on first use in a cache outside the project."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.jars import KafkaUnavailable, find_java

HERE = Path(__file__).parent
INSTALL_TIMEOUT_S = 900.0


class PeerUnavailable(Exception):
    """A peer that cannot be had on this machine; the text says why."""


def python(name: str) -> Path:
    """The interpreter with the packages of a peer.

    Raises:
        PeerUnavailable: they cannot be installed.
    """
    wanted = HERE / "requirements" / f"{name}.txt"
    folder = _folder(name, wanted.read_bytes() + sys.version.encode())
    interpreter = folder / "bin" / "python"
    if not _is_ready(folder):
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        pip = [str(interpreter), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
        _run([*pip, "--requirement", str(wanted)])
        _mark_ready(folder)
    return interpreter


def java_classes(name: str) -> tuple[Path, str]:
    """A Java and the class path of a peer, compiled and with its jars.

    Raises:
        PeerUnavailable: there is no Java or Maven, or its jars cannot be had.
    """
    sources = HERE / name
    files = sorted(path for path in sources.rglob("*") if path.is_file())
    folder = _folder(name, b"".join(path.read_bytes() for path in files))
    try:
        java = find_java()
    except KafkaUnavailable as error:
        raise PeerUnavailable(str(error)) from error
    if not _is_ready(folder):
        maven = shutil.which("mvn")
        if maven is None:
            raise PeerUnavailable("Maven (mvn) is needed to build it")
        goals = ["compile", "dependency:copy-dependencies", "-DincludeScope=runtime"]
        where = [f"-Dout={folder}", f"-DoutputDirectory={folder / 'lib'}"]
        _run([maven, "-q", "-B", "-f", str(sources / "pom.xml"), *goals, *where])
        _mark_ready(folder)
    return java, f"{folder / 'classes'}:{folder / 'lib' / '*'}"


def _folder(name: str, content: bytes) -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rtml-bench"
    return cache / f"{name}-{hashlib.sha256(content).hexdigest()[:12]}"


def _is_ready(folder: Path) -> bool:
    return (folder / "ready").exists()


def _mark_ready(folder: Path) -> None:
    (folder / "ready").touch()


def _run(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PeerUnavailable(str(error)) from error
    if done.returncode != 0:
        tail = (done.stdout + done.stderr).strip().split("\n")[-1]
        raise PeerUnavailable(f"it cannot be installed: {tail}")
