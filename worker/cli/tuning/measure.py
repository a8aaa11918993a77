"""Scoring measured for batch sizes and numbers of threads, in rounds, for a bounded time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice

from worker.graph.plan import Plan
from worker.score import score

BATCHES = (1, 4, 16, 64, 256, 512, 1_024, 2_048, 4_096, 8_192)
_TURN_S = 0.02
_LEAST_ROUNDS = 3


@dataclass
class Cell:
    """One batch size with one number of threads.

    Attributes:
        threads: of a model run.
        batch: events.
        rounds: seconds of each batch, by round.
    """

    threads: int
    batch: int
    rounds: list[list[float]] = field(default_factory=list)

    @property
    def batches_s(self) -> list[float]:
        """Seconds of each batch."""
        return sorted(seconds for turn in self.rounds for seconds in turn)

    @property
    def us_per_event(self) -> float:
        """The median over the rounds' medians, in microseconds."""
        return statistics.median(self._per_event())

    @property
    def spread(self) -> float:
        """How far the middle half of the rounds lies apart, as a part of the median."""
        low, middle, high = statistics.quantiles(self._per_event(), n=4, method="inclusive")
        return (high - low) / middle

    @property
    def p50_ms(self) -> float:
        """Of a batch."""
        return statistics.median(self.batches_s) * 1_000

    @property
    def p99_ms(self) -> float:
        """Of a batch; the slowest where fewer than a hundred were measured."""
        found = self.batches_s
        return found[min(int(len(found) * 0.99), len(found) - 1)] * 1_000

    def _per_event(self) -> list[float]:
        return [statistics.median(turn) / self.batch * 1e6 for turn in self.rounds]


def measure(
    plans: Mapping[int, Plan],
    events: Sequence[bytes],
    sizes: Sequence[int],
    seconds: float,
    progress: Callable[[int, float], None],
) -> list[Cell]:
    """Scores batches of every size, in turns, until the time is over.

    What else happens on the machine meets all of them, for each round has all of them.

    Args:
        plans: the same graph, by its number of threads.
        events: repeated as needed.
        sizes: of batches.
        seconds: to measure for; the least number of rounds may take longer.
        progress: told the batches measured, and which part of the time has passed.
    """
    cells = [Cell(threads, batch) for threads in plans for batch in sizes]
    values = {size: list(islice(cycle(events), size)) for size in sizes}
    begun_s, done = time.perf_counter(), 0
    for cell in cells:  # memory is asked for, and paths are taken, for the first time
        score(plans[cell.threads], values[cell.batch])
    while True:
        for cell in cells:
            cell.rounds.append(_turn(plans[cell.threads], values[cell.batch]))
            done += len(cell.rounds[-1])
            progress(done, min((time.perf_counter() - begun_s) / seconds, 1.0))
        passed_s = time.perf_counter() - begun_s
        if len(cells[0].rounds) >= _LEAST_ROUNDS and passed_s >= seconds:
            return cells


def _turn(plan: Plan, values: Sequence[bytes]) -> list[float]:
    """One cell's turn: batches for `_TURN_S`, at least one."""
    found: list[float] = []
    until_s = time.perf_counter() + _TURN_S
    while not found or time.perf_counter() < until_s:
        begun_s = time.perf_counter()
        score(plan, values)
        found.append(time.perf_counter() - begun_s)
    return found
