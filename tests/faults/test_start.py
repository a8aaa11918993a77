"""Faults that are built into a worker from outside."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from faults.crashing import CODE, POINTS
from faults.instead import instead_of

ROOT = Path(__file__).parents[2]
EVERY = "[point(crashing.Crash(1)) for point in crashing.POINTS.values()]"
EVERY += "; [way.build_in() for way in sabotage.WAYS.values()]"
NAMED = (
    *("after poll", "after score", "after send", "after flush", "before commit", "after commit"),
    *("in dead letter", "in revoke", "in swap"),
)


def python(program: str) -> int:
    """The exit code of a program of its own."""
    return subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode


def test_every_fault_finds_what_it_changes() -> None:
    """The worker has all that crash points and sabotage are put in the place of."""
    assert python(f"from faults import crashing, sabotage; {EVERY}") == 0


def test_the_crash_points_that_are_promised() -> None:
    """Each name, in the order of an event's way."""
    assert tuple(POINTS) == NAMED


def test_a_crash_passes_over_and_then_ends_everything() -> None:
    """The code tells it from every other end; nothing after it is run."""
    crash = "from faults.crashing import Crash; crash = Crash(1); crash.reached(); crash.reached()"
    assert python(f"{crash}; raise SystemExit(3)") == CODE
    assert python("from faults.crashing import Crash; Crash(1).reached(); raise SystemExit(3)") == 3


def test_the_worker_itself_has_no_faults() -> None:
    """No module of the worker knows of them: they cost nothing where they are not asked for."""
    modules = (ROOT / "worker").rglob("*.py")
    assert [path for path in modules if "FAULTS_" in path.read_text()] == []


def test_a_function_takes_the_place_of_another() -> None:
    """It is given the original and what that is given."""
    owner = SimpleNamespace(add=lambda a, b: a + b)

    @instead_of(owner, "add")
    def twice(add: object, a: int, b: int) -> int:
        assert callable(add)
        return 2 * add(a, b)

    assert owner.add(1, b=2) == 6
