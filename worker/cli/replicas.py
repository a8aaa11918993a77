"""``rtml run --replicas N``: N workers with a port and a name each, stopped together."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from worker.cli.console import ExitCode
from worker.errors import ConfigError, Problem

if TYPE_CHECKING:
    from worker.settings import Settings

POLL_S = 0.1
LAST_PORT = 65_535
_OWN = ("--replicas", "--http-port")
"""Flags with a value that are not passed on as they are."""

_TOLD = (ExitCode.DONE, ExitCode.INTERRUPTED, -signal.SIGTERM, -signal.SIGINT)
"""How a replica ends that is told to; a signal kills it while there is nothing to drain yet."""


def supervise(arguments: Sequence[str], replicas: int, settings: Settings) -> int:
    """Starts the same command N times and waits for all; the consumer group shares the load.

    Being asked to stop drains every replica; SIGINT a second time kills them. A replica that ends
    by itself drains the others: what restarts a worker should see it.

    Args:
        arguments: of the command line after ``rtml``, with ``--replicas`` in it.
        replicas: how many.
        settings: that those arguments and the variables make.

    Returns:
        The exit code: 0 if all ended with 0, 130 after SIGINT, else that of the replica that
        failed first; 1 if it was killed.

    Raises:
        ConfigError: there are not so many ports, or one URL is to be that of all.
    """
    from worker.stream.tools.command import WHILE_OPEN

    if settings.advertised_url is not None:
        message = f"{replicas} replicas have a port each; start each by itself, or leave it unset"
        raise ConfigError(Problem("RTML_ADVERTISED_URL", message))
    commands = [alone(arguments, i, replicas, settings.http_port) for i in range(replicas)]
    asked: list[int] = []
    # Only noted here, so that none is lost between the start of a process and knowing its id.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if (number, signal.getsignal(number)) != (signal.SIGHUP, signal.SIG_IGN):  # nohup
            signal.signal(number, lambda number, _: asked.append(number))
    running: list[subprocess.Popen[bytes]] = []
    failed: list[int] = []
    # Nothing is written to it: its end closes with this process, however that ends.
    watched, held = os.pipe()
    try:
        for i, command in enumerate(commands):
            if not asked:
                own = [*command, WHILE_OPEN, str(watched)]
                environment = _environment(i, settings)
                running.append(subprocess.Popen(own, env=environment, pass_fds=[watched]))
        while not asked and all(process.poll() is None for process in running):
            time.sleep(POLL_S)
        if not asked:
            failed = [code for process in running if (code := process.poll())]
    finally:
        _drain(running, asked)
        os.close(watched)
        os.close(held)
    failed += [process.returncode for process in running if process.returncode not in _TOLD]
    if signal.SIGINT in asked and (not failed or asked.count(signal.SIGINT) > 1):
        return ExitCode.INTERRUPTED
    return next((code if code > 0 else ExitCode.NO for code in failed), ExitCode.DONE)


def _drain(running: Sequence[subprocess.Popen[bytes]], asked: Sequence[int]) -> None:
    """SIGTERM to all, also where Ctrl-C reached them as well; SIGKILL after a second SIGINT."""
    for process in running:
        process.terminate()
    while any(process.poll() is None for process in running):
        if asked.count(signal.SIGINT) > 1:
            for process in running:
                process.kill()
        time.sleep(POLL_S)


def alone(arguments: Sequence[str], index: int, replicas: int, port: int | None) -> list[str]:
    """What starts one replica: no ``--replicas``, and a port of its own.

    Raises:
        ConfigError: the port of the last replica would be above 65535.
    """
    from worker.stream.tools.command import command

    kept: list[str] = []
    skip = False
    for argument in arguments:
        if skip:
            skip = False
        elif argument in _OWN:
            skip = True
        elif not argument.startswith(tuple(f"{flag}=" for flag in _OWN)):
            kept.append(argument)
    own = ["--no-status"]
    if port is not None:
        if port and port + replicas - 1 > LAST_PORT:
            message = f"{replicas} replicas from {port} on need ports above {LAST_PORT}"
            raise ConfigError(Problem("--http-port", f"{message}; start at a lower one"))
        own += ["--http-port", str(port + index if port else 0)]
    return command(*kept[:1], *own, *kept[1:])


def _environment(index: int, settings: Settings) -> Mapping[str, str]:
    """Our variables; a static member of the group needs a name that no other has."""
    from worker.stream.tools.command import environment

    own = environment(os.environ)
    if settings.group_instance_id is not None:
        own["RTML_GROUP_INSTANCE_ID"] = f"{settings.group_instance_id}-{index}"
    return own
