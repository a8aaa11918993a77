"""The standard streams of the process: closed, full, or without some of the characters."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import BinaryIO, NoReturn, cast

from worker.errors import ConfigError, Problem

_NAMES = ("stdin", "stdout", "stderr")
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


class _Closed(io.RawIOBase):
    """What stands for a stream that was closed before we began: whoever needs it is refused."""

    def __init__(self, name: str) -> None:
        self._name = name

    def readable(self) -> bool:
        return self._name == "stdin"

    def writable(self) -> bool:
        return self._name != "stdin"

    def readinto(self, _: object, /) -> NoReturn:
        self._refuse()

    def write(self, _: object, /) -> NoReturn:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise ConfigError(Problem("", "is closed", self._name))


def prepare() -> None:
    """Gives every standard stream something to read from or write to.

    A descriptor that is closed would be taken by the next file or socket, which others then take
    for the stream; so each gets the null device. A terminal that does not know a character shows
    another instead.
    """
    for number, name in enumerate(_NAMES):
        if getattr(sys, name) is not None:
            continue
        while (opened := os.open(os.devnull, os.O_RDWR)) < number:
            pass  # a lower one that is free is none of the standard streams' that Python opened
        os.set_inheritable(opened, True)
        setattr(sys, name, _stand_in(name, opened))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def _stand_in(name: str, descriptor: int) -> io.TextIOWrapper:
    if name == "stderr":  # talk that nobody wants to hear
        return io.TextIOWrapper(io.FileIO(descriptor, "w"), "utf-8", write_through=True)
    closed = _Closed(name)
    if name == "stdin":
        return io.TextIOWrapper(io.BufferedReader(closed))
    return io.TextIOWrapper(cast("BinaryIO", closed), "utf-8", write_through=True)


def is_full(error: OSError) -> bool:
    """Whether output could not be written: the errors of files that have a name tell it."""
    return error.filename is None and error.errno in _FULL


def unwritten() -> OSError | None:
    """Why some output could not be written; from then on it goes nowhere, so that we can end."""
    found = None
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError as error:
            discard(stream.fileno())
            if not isinstance(error, BrokenPipeError):
                found = found or error
    return found


def discard(descriptor: int) -> None:
    """What is written to the descriptor, or still waits for it, goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
