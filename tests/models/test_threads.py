"""Threads: what is asked for, bounded by the CPUs that the container grants."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from worker.models import threads

HOST = len(os.sched_getaffinity(0))


@pytest.fixture(autouse=True)
def _one_thread_afterwards() -> Iterator[None]:
    """What a test asks for ends with it."""
    yield
    threads.use(1)


def mounted(root: Path, cgroup: str, files: dict[str, str]) -> Path:
    """A root whose process has these groups, and these files below ``sys/fs/cgroup``."""
    groups = {f"sys/fs/cgroup/{name}": text for name, text in files.items()}
    for name, text in {"proc/self/cgroup": cgroup, **groups}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return root


@pytest.mark.parametrize(
    ("cgroup", "files", "cpus"),
    [
        ("0::/", {"cpu.max": "50000 100000"}, 0.5),
        ("0::/", {"cpu.max": "max 100000"}, HOST),
        ("0::/pod/app", {"pod/app/cpu.max": "max 100000", "pod/cpu.max": "75000 100000"}, 0.75),
        ("0::/pod/app", {"pod/app/cpu.max": "20000 100000", "pod/cpu.max": "75000 100000"}, 0.2),
        ("0::/../../host/path", {"cpu.max": "30000 100000"}, 0.3),
        ("0::/a", {"unified/a/cpu.max": "10000 100000"}, 0.1),
        (
            "4:cpu,cpuacct:/docker/x\n1:name=systemd:/",
            {"cpu,cpuacct/docker/x/cpu.cfs_quota_us": "25000",
             "cpu,cpuacct/docker/x/cpu.cfs_period_us": "50000"},
            0.5,
        ),
        ("1:cpu:/x", {"cpu/cpu.cfs_quota_us": "60000", "cpu/cpu.cfs_period_us": "100000"}, 0.6),
        ("1:cpu:/", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, HOST),
        ("1:cpuset:/", {"cpu.max": "10000 100000"}, HOST),
        ("0::/", {"cpu.max": "100000000 100000"}, HOST),
        ("0::/", {"cpu.max": "not a number"}, HOST),
        ("0::/", {}, HOST),
    ],
)  # fmt: skip
def test_the_quota_is_that_of_the_control_groups(
    tmp_path: Path, cgroup: str, files: dict[str, str], cpus: float
) -> None:
    """Of v2 and v1, the least of the group and those above; without one, the affinity."""
    assert threads.cpus(mounted(tmp_path, cgroup, files)) == cpus


def test_without_files_the_affinity_counts(tmp_path: Path) -> None:
    """Where there are no control groups at all, such as on macOS."""
    assert threads.cpus(tmp_path) == HOST


def test_one_thread_unless_more_are_asked_for() -> None:
    """The default is one; more than the CPUs are never used, less than one neither."""
    assert threads.intra_op() == 1
    threads.use(10_000)
    assert threads.intra_op() == max(1, int(threads.cpus()))


def test_a_fraction_of_a_cpu_is_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a CPU runs one thread, two and a half run two."""
    threads.use(8)
    for granted, expected in ((0.5, 1), (1.0, 1), (2.5, 2), (64.0, 8)):
        monkeypatch.setattr(threads, "cpus", lambda granted=granted: granted)
        assert threads.intra_op() == expected
