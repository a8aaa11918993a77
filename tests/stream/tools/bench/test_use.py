"""What a process uses: processor time and memory, its children among them."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from worker.stream.tools.bench.use import Use, use_of

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")


def add(proc: Path, pid: int, name: str, ticks: tuple[int, int], pages: int, children: str) -> None:
    """A process as Linux tells it, of one thread."""
    task = proc / str(pid) / "task" / str(pid)
    task.mkdir(parents=True)
    (task / "children").write_text(children)
    before = "1 1 1 0 -1 4194304 100 0 0 0"
    (proc / str(pid) / "stat").write_text(
        f"{pid} ({name}) S {before} {ticks[0]} {ticks[1]} 0 0 20 0 1 0 0 0 0\n"
    )
    (proc / str(pid) / "statm").write_text(f"999 {pages} 1 1 0 1 0\n")


def test_children_count_with_their_parent(tmp_path: Path) -> None:
    """At any depth; a name with blanks and parentheses moves no field."""
    add(tmp_path, 7, "a (b) 1 2", (TICKS, TICKS), 10, "8 9 ")
    add(tmp_path, 8, "c", (0, TICKS), 20, "")
    add(tmp_path, 9, "d", (TICKS, 0), 30, "10")
    add(tmp_path, 10, "e", (TICKS, 0), 40, "11")  # which has ended meanwhile
    assert use_of(7, tmp_path) == Use(5.0, 100 * PAGE_BYTES)


def test_what_is_not_told_is_not_known(tmp_path: Path) -> None:
    """A process that has ended, and a system without /proc."""
    assert use_of(7, tmp_path) is None
    assert use_of(7, tmp_path / "missing") is None


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="there is no /proc here")
def test_it_is_what_others_tell() -> None:
    """Of this process and its children, as psutil sees them at nearly the same moment."""
    own, other = use_of(os.getpid()), psutil.Process()
    everyone = [other, *other.children(recursive=True)]
    assert own is not None
    rss_bytes = sum(one.memory_info().rss for one in everyone)
    assert own.rss_bytes == pytest.approx(rss_bytes, rel=0.2)
    times = [one.cpu_times() for one in everyone]
    assert own.cpu_s == pytest.approx(sum(one.user + one.system for one in times), abs=1.0)
