"""What a process and its children have used so far, as Linux tells it in /proc."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
_USER_TICKS, _SYSTEM_TICKS = 11, 12
"""Places in ``stat`` behind the name, see proc_pid_stat(5)."""


class Use(NamedTuple):
    """Of one process, or of several together.

    Attributes:
        cpu_s: seconds of processor time since the start.
        rss_bytes: resident memory now.
    """

    cpu_s: float
    rss_bytes: int


def use_of(pid: int, proc: Path = PROC) -> Use | None:
    """Of a process with its children; None where it has ended, or there is no /proc (macOS).

    Args:
        pid: of the process.
        proc: where the system tells.
    """
    found = [use for one in _tree(pid, proc) if (use := _alone(one, proc)) is not None]
    if not found:
        return None
    return Use(sum(use.cpu_s for use in found), sum(use.rss_bytes for use in found))


def _tree(pid: int, proc: Path) -> Iterator[int]:
    yield pid
    tasks = proc / str(pid) / "task"
    try:
        # Each thread has the children that it has started.
        told = [(tasks / name / "children").read_text() for name in os.listdir(tasks)]
    except OSError:  # one has ended meanwhile
        return
    for child in " ".join(told).split():
        yield from _tree(int(child), proc)


def _alone(pid: int, proc: Path) -> Use | None:
    folder = proc / str(pid)
    try:
        stat = (folder / "stat").read_text(errors="replace")
        _, resident, *_ = (folder / "statm").read_text().split()
    except OSError:
        return None
    # The name before the last parenthesis may hold blanks and parentheses itself.
    fields = stat.rpartition(")")[2].split()
    ticks = int(fields[_USER_TICKS]) + int(fields[_SYSTEM_TICKS])
    page_bytes = os.sysconf("SC_PAGE_SIZE")
    return Use(ticks / os.sysconf("SC_CLK_TCK"), int(resident) * page_bytes)
