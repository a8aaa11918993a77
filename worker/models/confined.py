"""The inside of a process that `limited` starts: its limits, and how it answers."""

from __future__ import annotations

import contextlib
import json
import math
import os
import resource
import sys
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from onnx import ModelProto

from worker.errors import ModelError
from worker.files import open_file
from worker.models.landlock import confine

_ALLOCATION = ("AllocateRaw", "bad_alloc", "bad allocation")
"""What ONNX Runtime's messages hold where memory ran out."""


def answer(
    task: Callable[[list[Path], int, int], dict[str, Any]],
    reads: Callable[[list[Path]], Sequence[Path]],
    writes: Callable[[list[Path]], Sequence[Path]] = lambda _: (),
    file_bytes: int = 0,
) -> None:
    """Does the task on the arguments within the limits they set; never returns.

    Args:
        task: of the paths, the size a model may have, and how deep it may be nested.
        reads: which of the paths it may read; it can open nothing else.
        writes: which of them it may write.
        file_bytes: how large a file may be that it writes.
    """
    *named, max_bytes, seconds, memory_bytes, depth = sys.argv[1:]
    paths = [Path(path) for path in named]
    _limit(float(seconds), int(memory_bytes), file_bytes)
    with contextlib.suppress(FileNotFoundError):  # told by the task
        confine([*_libraries(), *reads(paths)], writes(paths))
    try:
        found = task(paths, int(max_bytes), int(depth))
    except (ModelError, MemoryError) as error:
        reason = str(error)
        if isinstance(error, MemoryError) or any(word in reason for word in _ALLOCATION):
            reason = f"needs more than {memory_bytes} bytes of memory"
        found = {"reasons": [reason]}
    print(json.dumps(found), flush=True)
    os._exit(0)  # what libraries do or say on their way out must not matter


def _libraries() -> set[Path]:
    """Where Python loads from what it has not yet needed; nobody keeps data of his own there."""
    found = sysconfig.get_paths()
    named = {Path(found[name]) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return {path for path in named if path.is_dir()}


def _limit(seconds: float, memory_bytes: int, file_bytes: int) -> None:
    """No core dumps, and so much time, memory and disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    whole = math.ceil(seconds)
    # A second between the two: at the first comes SIGXCPU, which says why; at the second SIGKILL.
    resource.setrlimit(resource.RLIMIT_CPU, (whole, whole + 1))
    pages = Path("/proc/self/statm")
    if pages.exists():  # elsewhere address space cannot be limited
        taken = int(pages.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + memory_bytes, taken + memory_bytes))


def read(path: Path, max_bytes: int) -> bytes:
    """The file's content.

    Raises:
        ModelError: it cannot be read, or is too large.
    """
    try:
        with open_file(path) as file:
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror or error}") from error
    if len(content) > max_bytes:
        raise ModelError(f"has more than {max_bytes} bytes")
    return content


def parsed(content: bytes) -> ModelProto:
    """The model that the bytes are.

    Raises:
        ModelError: they are none.
    """
    try:
        model: ModelProto = ModelProto.FromString(content)
    except MemoryError:
        raise
    except Exception as error:  # protobuf's own, of a package without types
        raise ModelError("is no ONNX model") from error
    if not (model.ir_version and model.HasField("graph") and model.opset_import):
        raise ModelError("is no ONNX model")
    return model
