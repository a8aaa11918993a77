"""What signals do to a command."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from worker.cli.console import ExitCode

_STDERR = 2
_AGAIN = b"\nrtml: interrupted again: it ends at once, and what is not committed is repeated\n"


@contextmanager
def like_ctrl_c() -> Iterator[None]:
    """SIGTERM and SIGHUP raise KeyboardInterrupt within: the command cleans up, exit 130."""
    with _handled(_interrupt, signal.SIGTERM, signal.SIGHUP):
        yield


@contextmanager
def noted() -> Iterator[list[int]]:
    """SIGINT raises KeyboardInterrupt within, as it does anyway, and is remembered.

    Yields:
        The signals that came: empty if there was none.
    """
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)
        _interrupt(number, frame)

    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # nohup, or a shell's background
        yield came
        return
    with _handled(note, signal.SIGINT):
        yield came


@contextmanager
def nothing_to_drain() -> Iterator[None]:
    """SIGTERM exits with 0 within, for as long as the worker has no handler of its own.

    The first process of a container would not get a signal that it has no handler for.
    """
    with _handled(_exit, signal.SIGTERM):
        yield


@contextmanager
def undisturbed() -> Iterator[None]:
    """SIGINT, SIGTERM and SIGHUP do nothing within: for what has a bound and is to be done."""
    with _handled(lambda _, __: None, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        yield


@contextmanager
def draining(stop: Callable[[], object]) -> Iterator[list[int]]:
    """SIGINT calls ``stop`` within; a second one ends the process where it stands, exit 130.

    Yields:
        The signals that came: empty if there was none.
    """
    came: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        came.append(number)
        if len(came) > 1:
            # Neither by the event loop nor by cleaning up: they may be what does not end.
            os.write(_STDERR, _AGAIN)
            os._exit(ExitCode.INTERRUPTED)
        stop()

    with _handled(note, signal.SIGINT):
        yield came


@contextmanager
def _handled(
    handler: Callable[[int, FrameType | None], object], *numbers: signal.Signals
) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def _interrupt(_: int, __: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _exit(_: int, __: FrameType | None) -> NoReturn:
    sys.exit(ExitCode.DONE)
