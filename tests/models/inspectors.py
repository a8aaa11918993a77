"""The processes that inspect models, seen from outside."""

from __future__ import annotations

import subprocess

import psutil

from tests.kafka.waiting import until


def until_it_inspects(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The processes that a process has begun, once it has begun any."""
    found: list[psutil.Process] = []

    def inspecting() -> bool:
        found[:] = psutil.Process(process.pid).children()
        return bool(found)

    until(inspecting)
    return found


def ended(process: psutil.Process) -> bool:
    """Whether it runs no more; one that nobody has waited for yet still has a number."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
