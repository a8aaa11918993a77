"""Checks a model file before it is accepted, in a process of its own with limits.

A model is a program: one of 191 bytes never returns, one of 104 takes 2 GB while it loads, and
tensor data may name any file of the machine. So nothing of it is parsed here: `examine` does
that, and may be killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker.errors import ConfigError, Problem

_ROOT = str(Path(__file__).resolve().parents[2])
# -I keeps the working directory, PYTHONPATH and the user's packages out; a source tree that is not
# installed has to be named, so that the same worker is found.
_START = """
import sys
root = sys.argv.pop(1)
if root not in sys.path:
    sys.path.insert(0, root)
from worker.models.examine import main
main()
"""
_MAX_ANSWER_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What an inspection may cost.

    Attributes:
        max_bytes: size of the file.
        seconds: processor time, and time by the clock, from the start of the process; about one
            goes into loading the libraries.
        memory_bytes: address space beyond what the libraries take; Linux only.
        depth: how deep graphs may be nested in nodes' attributes.
    """

    max_bytes: int = 512 * 2**20
    seconds: float = 20.0
    memory_bytes: int = 2 * 2**30
    depth: int = 16


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output.

    Attributes:
        dtype: numpy's name; ``object`` for text.
        shape: per event, without the batch axis; None where the model leaves it open.
    """

    dtype: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of a model that may be used.

    Attributes:
        sha256: of the file.
        size_bytes: of the file.
        ir_version: of the format.
        producer: the program that wrote it and its version, as the file says.
        opsets: domain -> version of the operators it imports; ``ai.onnx`` for the empty domain.
        inputs: by name.
        outputs: by name; empty where they depend on sizes that the model leaves open.
        batch_size: None, or the only number of events that it takes at once.
        batch_invariant: whether an event's result is the same bits alone and among 2, 7 and 64,
            wherever it stands; None where that could not be tried.
    """

    sha256: str
    size_bytes: int
    ir_version: int
    producer: str
    opsets: Mapping[str, int]
    inputs: Mapping[str, Port]
    outputs: Mapping[str, Port]
    batch_size: int | None
    batch_invariant: bool | None


def inspect(path: Path, limits: Limits | None = None) -> Report:
    """What a model file is; the file is left as it is.

    Raises:
        ConfigError: every reason for which it must not be used.
    """
    bounds = limits or Limits()
    try:
        size = path.stat().st_size
    except OSError as error:
        raise _refused(path, [f"cannot be read: {error.strerror or error}"]) from error
    if not path.is_file():
        raise _refused(path, ["is no file"])
    if size > bounds.max_bytes:
        raise _refused(path, [f"has {size} bytes; at most {bounds.max_bytes} are allowed"])
    answer = _answer(path, bounds)
    if "reasons" in answer:
        raise _refused(path, answer["reasons"])
    for key in ("inputs", "outputs"):
        answer[key] = {
            name: Port(dtype, tuple(shape)) for name, (dtype, shape) in answer[key].items()
        }
    return Report(**answer)


def _refused(path: Path, reasons: list[str]) -> ConfigError:
    return ConfigError(Problem("", reason, str(path)) for reason in reasons)


def _answer(path: Path, limits: Limits) -> dict[str, Any]:
    """What the other process says, or why it says nothing."""
    bounds = [limits.max_bytes, limits.seconds, limits.memory_bytes, limits.depth]
    command = [sys.executable, "-I", "-c", _START, _ROOT, str(path.resolve()), *map(str, bounds)]
    late = threading.Event()
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # its last line is the answer, or says what went wrong
        cwd="/",
        env={},  # no credentials where a hostile model runs
        start_new_session=True,
    ) as process:
        timer = threading.Timer(limits.seconds, _stop, (process, late))
        timer.start()
        try:
            said = process.stdout.read(_MAX_ANSWER_BYTES) if process.stdout else b""
            if len(said) == _MAX_ANSWER_BYTES:
                _kill(process)
            code = process.wait()
        except BaseException:  # a signal ends who waits here, and must end the inspection too
            _kill(process)
            raise
        finally:
            timer.cancel()
    last = said.strip().rpartition(b"\n")[2]
    if code == 0:
        answer: dict[str, Any] = json.loads(last)
        return answer
    if late.is_set() or code == -signal.SIGXCPU:
        return {"reasons": [f"does not load and run within {limits.seconds:g} s"]}
    shown = last[:200].decode(errors="replace")
    return {"reasons": [f"ended the process that tried it ({_ending(code)}): {shown}"]}


def _stop(process: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
        os.killpg(process.pid, signal.SIGKILL)


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
