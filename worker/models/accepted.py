"""Which models were found sound: an inspection takes a second, and its answer stays the same.

Kept in this process, and for the next one where a folder is told. What was refused is not kept: it
may have been for want of time or memory, and whoever asks again shall be told why again.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
import stat
from contextlib import suppress
from dataclasses import astuple
from importlib.metadata import version
from pathlib import Path
from typing import Any

from worker.files import open_file, write_whole
from worker.models.limited import Limits

_MAX_KNOWN = 256
_MAX_FILES = 1_000
_MAX_FILE_BYTES = 1_000_000


class _Current:
    def __init__(self) -> None:
        self.folder: Path | None = None
        self.known: dict[str, dict[str, Any]] = {}


_current = _Current()


def use(folder: Path | None) -> None:
    """From now on what is accepted is read from there and written there; None keeps no files.

    Who can write to the folder decides which models are run untried, so one that belongs to
    somebody else, or is open to others, is left alone.
    """
    _current.folder = folder


def recall(digest: str, limits: Limits) -> dict[str, Any] | None:
    """What the inspection of a model with that SHA-256 said; None where none is known."""
    name = _name(digest, limits)
    found = _current.known.get(name)
    if found is None and _current.folder is not None:
        found = _read(_current.folder, name)
        if found is not None and found.get("sha256") == digest:
            _remember(name, found)
    return _current.known.get(name)


def keep(found: dict[str, Any], limits: Limits) -> None:
    """Holds what an inspection within the limits said of a model that it accepted."""
    name = _name(found["sha256"], limits)
    _remember(name, found)
    if _current.folder is not None:
        with suppress(OSError):  # a disk that is full or read-only costs a second at each start
            _write(_current.folder, name, found)


def _remember(name: str, found: dict[str, Any]) -> None:
    while len(_current.known) >= _MAX_KNOWN:
        _current.known.pop(next(iter(_current.known)), None)
    _current.known[name] = found


def _name(digest: str, limits: Limits) -> str:
    """Of what may change the answer: the model, the limits, who judged, and on which machine."""
    told = json.dumps([digest, astuple(limits), _judge()])
    return hashlib.sha256(told.encode()).hexdigest() + ".json"


@functools.cache
def _judge() -> list[str]:
    """This package, the libraries that load and run models, and the processor they round on."""
    sources = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        sources.update(path.read_bytes())
    libraries = [version(name) for name in ("onnx", "onnxruntime", "numpy")]
    return [sources.hexdigest(), *libraries, platform.machine(), platform.node()]


def _read(folder: Path, name: str) -> dict[str, Any] | None:
    with suppress(OSError, ValueError):  # none, or one that was cut short
        if _is_ours(folder):
            with open_file(folder / name) as file:
                found = json.loads(file.read(_MAX_FILE_BYTES))
            return found if isinstance(found, dict) else None
    return None


def _write(folder: Path, name: str, found: dict[str, Any]) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _is_ours(folder):
        return
    write_whole(folder / name, json.dumps(found).encode())
    oldest_last = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in oldest_last[_MAX_FILES:]:
        path.unlink(missing_ok=True)


def _is_ours(folder: Path) -> bool:
    found = folder.stat()
    return found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
