"""Runs what touches a model that nobody has checked, in a process of its own with limits."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from worker.bounds import bounds

_ROOT = str(Path(__file__).resolve().parents[2])
# -I keeps the working directory, PYTHONPATH and the user's packages out; a source tree that is not
# installed has to be named, so that the same worker is found. On Linux the process ends with the
# one that started it (1 is PR_SET_PDEATHSIG), also where that one is killed, or stopped just then.
_START = """
import ctypes, os, signal, sys
root, parent = sys.argv.pop(1), int(sys.argv.pop(1))
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != parent:
    sys.exit("who asked is gone")
if root not in sys.path:
    sys.path.insert(0, root)
from worker.models.{task} import main
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

    max_bytes: int = field(default_factory=lambda: bounds().max_model_bytes)
    seconds: float = 20.0
    memory_bytes: int = 2 * 2**30
    depth: int = 16


def answer(task: str, paths: Sequence[Path], limits: Limits) -> dict[str, Any]:
    """What the other process says, or ``reasons`` for which it says nothing.

    Args:
        task: a module beside this one whose ``main`` takes the paths and the limits as arguments
            and writes one line of JSON.
        paths: the files it is about.
        limits: what it may cost.
    """
    arguments = [str(path.resolve()) for path in paths]
    arguments += map(str, [limits.max_bytes, limits.seconds, limits.memory_bytes, limits.depth])
    start = [sys.executable, "-I", "-c", _START.format(task=task), _ROOT, str(os.getpid())]
    late = threading.Event()
    with subprocess.Popen(
        [*start, *arguments],
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
        found: dict[str, Any] = json.loads(last)
        return found
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
