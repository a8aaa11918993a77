"""``rtml run --replicas N``: N workers with a port each, stopped together."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from types import FrameType

POLL_S = 0.2


def supervise(arguments: Sequence[str], replicas: int) -> int:
    """Starts the same command N times and waits for all; the consumer group shares the load.

    SIGTERM and SIGINT are passed on, so that every replica drains. A replica that ends by itself
    ends the others: what restarts a worker should see it.

    Args:
        arguments: of the command line, with ``--replicas`` in it.
        replicas: how many.

    Returns:
        The exit code: 0 if all ended with 0, else the first other one.
    """
    command = [sys.executable, "-m", "worker", *alone(arguments)]
    running = [subprocess.Popen(command) for _ in range(replicas)]

    def forward(number: int, _: FrameType | None) -> None:
        for process in running:
            if process.poll() is None:
                process.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, forward)
    while all(process.poll() is None for process in running):
        time.sleep(POLL_S)
    forward(signal.SIGTERM, None)
    codes = [process.wait() for process in running]
    return next((code for code in codes if code), 0)


def alone(arguments: Sequence[str]) -> list[str]:
    """The arguments of one replica: no ``--replicas``, and a port of its own."""
    kept: list[str] = []
    skip = False
    for argument in arguments:
        if skip:
            skip = False
        elif argument in ("--replicas", "--http-port"):
            skip = True
        elif not argument.startswith(("--replicas=", "--http-port=")):
            kept.append(argument)
    return kept
