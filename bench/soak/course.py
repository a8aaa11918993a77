"""The course of a long run: its samples, what drifts in them, and the verdict."""

from __future__ import annotations

import csv
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from operator import attrgetter
from pathlib import Path

import numpy as np

from bench.results import keep, kept
from bench.soak.look import Told
from bench.soak.witness import Counts

WARM_UP = 1 / 6
"""Of the run: the first ten minutes of an hour. Until then allocators and caches still grow."""
EDGE = 1 / 10
"""Of what follows: "first" and "last" are medians over so much of it."""
MAX_GROWTH_MB = 10.0
MAX_MORE = 2
"""Files, threads, connections and tasks that may be more at the end: a look is one moment."""
HELD = ("files", "threads", "connections", "tasks")


@dataclass(frozen=True, slots=True)
class Sample:
    """One moment.

    Attributes:
        at_s: seconds since the first event.
        rss_mb: the worker's, like the four that follow; see `bench.soak.look.Look`.
        lag: events in the source topic behind the group's committed offsets.
        sent: events so far; ``received`` to ``dead`` are the worker's own counts.
        seen: records that the witness has read.
        load: of the machine, its average over a minute.
    """

    at_s: float
    rss_mb: float
    files: int
    threads: int
    connections: int
    tasks: int
    lag: int
    sent: int
    received: int
    scored: int
    dropped: int
    dead: int
    seen: int
    load: float


@dataclass(frozen=True, slots=True)
class Minute:
    """Latency of what came out in one minute, from when it was due."""

    minute: int
    events: int
    p50_ms: float
    p99_ms: float
    max_ms: float


@dataclass(frozen=True, slots=True)
class Course:
    """The whole run.

    Attributes:
        refused: events that Kafka did not take; they were never in.
        exit_code: of the worker, told to drain.
    """

    machine: dict[str, str]
    setup: dict[str, str]
    rate: int
    sent: int
    refused: int
    counts: Counts
    told: Told
    exit_code: int
    samples: Sequence[Sample]
    minutes: Sequence[Minute]

    @property
    def warm(self) -> list[Sample]:
        """The samples after the warm-up."""
        end_s = self.samples[-1].at_s
        return [one for one in self.samples if one.at_s >= WARM_UP * end_s]

    @property
    def hours(self) -> float:
        """From the first to the last sample after the warm-up."""
        return (self.warm[-1].at_s - self.warm[0].at_s) / 3_600

    @property
    def rss_mb_per_hour(self) -> float:
        """The slope of a straight line through the memory after the warm-up."""
        at_h = [one.at_s / 3_600 for one in self.warm]
        return float(np.polyfit(at_h, [one.rss_mb for one in self.warm], 1)[0])

    def edges(self, value: Callable[[Sample], float]) -> tuple[float, float]:
        """Of something after the warm-up: its medians at the beginning and at the end."""
        values = [value(one) for one in self.warm]
        n = max(1, int(EDGE * len(values)))
        return statistics.median(values[:n]), statistics.median(values[-n:])

    @property
    def dropped(self) -> int:
        """Events that must not come out, and have not: what is left of those that were sent."""
        counts = self.counts
        return self.sent - counts.lost - (counts.scored + counts.dead - counts.duplicated)

    @property
    def problems(self) -> list[str]:
        """What is not as it should be; empty if the run is good."""
        counts, told = self.counts, self.told
        found = [
            f"{n} events {what}"
            for what, n in (
                ("not taken by Kafka", self.refused),
                ("lost", counts.lost),
                ("duplicated", counts.duplicated),
                ("with another fate than the graph's", counts.strayed),
            )
            if n
        ]
        if told != Told(self.sent, counts.scored, self.dropped, counts.dead):
            found.append(f"the worker counts otherwise than the witness: {told}")
        if (grown := self.rss_mb_per_hour * self.hours) > MAX_GROWTH_MB:
            found.append(f"memory grew by {grown:.1f} MB, more than {MAX_GROWTH_MB:.0f}")
        for name in HELD:
            first, last = self.edges(attrgetter(name))
            if last - first > MAX_MORE:
                found.append(f"{name} went from {first:.0f} to {last:.0f}")
        if self.exit_code:
            found.append(f"the worker ended with {self.exit_code}")
        return found

    def write(self) -> Path:
        """Keeps it, the samples also as CSV beside it."""
        path = keep("soak", asdict(self))
        with path.with_suffix(".csv").open("w", newline="") as file:
            table = csv.DictWriter(file, [one.name for one in fields(Sample)])
            table.writeheader()
            table.writerows(asdict(one) for one in self.samples)
        return path

    @classmethod
    def read(cls) -> Course | None:
        """What the last call found, if there was one."""
        found = kept("soak")
        if found is None:
            return None
        parts = {
            "counts": Counts(**found["counts"]),
            "told": Told(**found["told"]),
            "samples": [Sample(**one) for one in found["samples"]],
            "minutes": [Minute(**one) for one in found["minutes"]],
        }
        return cls(**{**found, **parts})
