"""What a worker holds before and after many changes of one kind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from operator import attrgetter
from pathlib import Path

import numpy as np

from bench.results import keep, kept
from bench.soak.look import Look, Watched

WARM_UP = 1 / 5
"""Of the changes: until then allocators and caches still grow."""
MAX_GROWTH_KB = 50.0
"""Of memory with each change, along a straight line."""
SETTLE_S = 20.0
LOOK_S = 0.5
MAX_MORE = 2
"""Files, threads, connections and tasks that may be more at the end: some come and go."""
COUNTED = ("files", "threads", "connections", "tasks")
NAME = "soak-cycles"


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of change, many times.

    Attributes:
        title: what was done, and how often.
        looks: one before the first change that counts, then one after each.
        lost: events that were sent meanwhile and did not come out.
        duplicated: records of the output beyond one for each event.
    """

    title: str
    looks: Sequence[Look]
    lost: int
    duplicated: int

    @property
    def kb_each(self) -> float:
        """By how much memory grows with each change."""
        rss = [one.rss_mb for one in self.looks]
        return 1e3 * float(np.polyfit(range(len(rss)), rss, 1)[0])

    @property
    def problems(self) -> list[str]:
        """What is not as it should be; empty if nothing is."""
        first, last = self.looks[0], self.looks[-1]
        found = [
            f"{name} went from {before} to {after}"
            for name in COUNTED
            if (after := attrgetter(name)(last)) - (before := attrgetter(name)(first)) > MAX_MORE
        ]
        if self.kb_each > MAX_GROWTH_KB:
            found.append(f"memory grew by {self.kb_each:.0f} KB each time")
        if self.lost or self.duplicated:
            found.append(f"{self.lost} events lost, {self.duplicated} duplicated")
        return [f"{self.title}: {one}" for one in found]


def write(rows: Sequence[Row]) -> Path:
    """Keeps them where `read` finds them."""
    return keep(NAME, [asdict(row) for row in rows])


def read() -> list[Row]:
    """What the last call found, if there was one."""
    return [
        Row(**{**row, "looks": [Look(**one) for one in row["looks"]]}) for row in kept(NAME) or ()
    ]


def after_each(watched: Watched, change: Callable[[int], None], times: int) -> Iterator[Look]:
    """Does the change so many times; looks once the first ones are done, then after each."""
    for i in range(int(WARM_UP * times)):
        change(i)
    yield settled(watched)
    for i in range(int(WARM_UP * times), times):
        change(i)
        yield settled(watched) if i == times - 1 else watched.look()


def settled(watched: Watched) -> Look:
    """What is held at rest: the least of each that is seen in some seconds, memory at the last."""
    looks = [watched.look()]
    until_s = time.monotonic() + SETTLE_S
    while time.monotonic() < until_s:
        time.sleep(LOOK_S)
        looks.append(watched.look())
    least = (min(values) for values in zip(*map(astuple, looks), strict=True))
    return Look(**dict(zip((one.name for one in fields(Look)), least, strict=True)))
