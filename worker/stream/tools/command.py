"""How this same worker is started as another process, wherever the user stands."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]
_INSTALLED = ("site-packages", "dist-packages")

WHILE_OPEN = "--while-open"
"""Flag of ``rtml run`` with the number of a file: it drains when the other end is closed."""


def command(*arguments: str) -> list[str]:
    """``rtml`` with arguments; a ``worker.py`` in the working directory is not run instead."""
    return module("worker", *arguments)


def module(name: str, *arguments: str) -> list[str]:
    """A module of this package as a program."""
    return [sys.executable, "-P", "-m", name, *arguments]


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """Variables with which that process finds this package.

    A source tree that is not installed has to be named, before what the user names: ``-P`` keeps
    the working directory out, which may be all that leads to it.
    """
    if _ROOT.name in _INSTALLED:  # found anyway; and put first it would hide the standard library
        return dict(given)
    paths = [str(_ROOT), *filter(None, [given.get("PYTHONPATH")])]
    return {**given, "PYTHONPATH": os.pathsep.join(paths)}


def drain_when_closed(watched: int) -> None:
    """Makes this process drain, as by SIGTERM, when whoever started it has ended."""

    def watch() -> None:
        os.read(watched, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
