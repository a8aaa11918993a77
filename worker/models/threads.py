"""How many threads a model run may use: what is asked for, but never above the container's CPUs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_wanted = 1


def use(wanted: int) -> None:
    """Sets how many threads the sessions made from now on ask for; 1 unless somebody does."""
    global _wanted  # noqa: PLW0603 - a matter of the process, as the CPUs are
    _wanted = wanted


def intra_op() -> int:
    """Threads of one run: more than the quota allows would only wait for each other."""
    return max(1, min(_wanted, int(cpus())))


def cpus(root: Path = Path("/")) -> float:
    """CPUs that this process may use: its affinity, bounded by the quota of its control groups.

    A host's number of cores ignores the quota: a container limited to half a CPU still sees all.

    Args:
        root: where ``proc`` and ``sys`` are mounted.
    """
    return min([float(_affinity()), *_quotas(root)])


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quotas(root: Path) -> Iterator[float]:
    """The quota of the process's group, and of each above it, in CPUs; v2 (cpu.max) and v1."""
    mounted = root / "sys/fs/cgroup"
    with suppress(OSError, UnicodeDecodeError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers:
                # Beside v1 groups, v2 is mounted in a folder of its own.
                for hierarchy in (mounted, mounted / "unified"):
                    yield from _upwards(hierarchy, path)
            elif "cpu" in controllers.split(","):
                for name in (controllers, "cpu"):
                    yield from _upwards(mounted / name, path)


def _upwards(hierarchy: Path, path: str) -> Iterator[float]:
    # Within a container the path may be the host's, and its own group is the mount's root.
    parts = [part for part in path.split("/") if part not in ("", "..")]
    for depth in range(len(parts), -1, -1):
        quota = _quota(hierarchy.joinpath(*parts[:depth]))
        if quota is not None:
            yield quota


def _quota(group: Path) -> float | None:
    """The CPUs of one group; None without a limit."""
    with suppress(OSError, ValueError, ZeroDivisionError):
        quota, period = (group / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    with suppress(OSError, ValueError, ZeroDivisionError):
        quota_us = int((group / "cpu.cfs_quota_us").read_text())
        period_us = int((group / "cpu.cfs_period_us").read_text())
        return quota_us / period_us if quota_us > 0 else None
    return None
