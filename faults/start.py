"""The worker with a fault built in: ``python -m faults.start`` takes what ``rtml`` takes.

``FAULTS_CRASH_AT`` names a point at which the process ends as if by SIGKILL, ``FAULTS_SABOTAGE`` a
way in which the worker breaks its promise. Both are put in from outside before the worker starts,
so that the worker itself has no hooks, and pays for none.
"""

from __future__ import annotations

import os

from faults import crashing, sabotage
from worker.__main__ import main

CRASH_AT, CRASH_SKIP, SABOTAGE = "FAULTS_CRASH_AT", "FAULTS_CRASH_SKIP", "FAULTS_SABOTAGE"


def prepare() -> None:
    """Builds in what the environment names."""
    if way := os.environ.get(SABOTAGE):
        sabotage.WAYS[way].build_in()
    if point := os.environ.get(CRASH_AT):
        crashing.POINTS[point](crashing.Crash(int(os.environ.get(CRASH_SKIP, "0"))))


if __name__ == "__main__":
    prepare()
    main()
