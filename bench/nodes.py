"""What each node kind costs per row: its own example on columns of 1,000 rows.

``python -m bench.nodes`` measures and prints; with ``--write`` the figures end the pages in
docs/nodes. Rows of the example that a node rejects are among them, and a rejection costs far more
than a value: it is a message for one row. A copy of a float64 column is measured in the same
rounds: on a busy machine the ratio to it says more than the nanoseconds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np

from tests.nodes.support import build, columns_of
from worker.cli.pages import MEASURED, measured
from worker.nodes.base import Node
from worker.nodes.registry import kinds

ROWS = 1_000
TURN_S = 0.005
PAGES = Path(__file__).parents[1] / "docs" / "nodes"
COPY = ""
"""Stands for the copy among the kinds."""


def main(given: Sequence[str] | None = None) -> int:
    """Measures every kind in rounds; prints a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.nodes", description=__doc__)
    parser.add_argument("--rounds", type=int, default=25, help="default: 25")
    parser.add_argument("--write", action="store_true", help="write the figures into docs/nodes")
    options = parser.parse_args(given)
    runs = {COPY: _copy(), **{name: _prepared(name, kind) for name, kind in kinds().items()}}
    rounds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(options.rounds):
        for name, run in runs.items():
            rounds[name].append(_turn(run))
        print(f"\rround {number + 1} of {options.rounds}", end="", file=sys.stderr)
    print(file=sys.stderr)
    for name in kinds():
        ns, ratio, spread = _figures(rounds[name], rounds[COPY])
        print(f"{name:<18}{ns:>10.1f} ns/row{ratio:>10.1f} x copy   spread {spread:.0%}")
        if options.write:
            page = PAGES / f"{name}.md"
            line = (
                f"{MEASURED}{ns:.3g} ns per row on {ROWS:,} rows of the example, {ratio:.3g} times "
                f"copying a column of numbers (median of {options.rounds} rounds, their middle "
                f"half within {spread:.0%}; {os.cpu_count()} cores; `python -m bench.nodes`)."
            )
            page.write_text(measured(page.read_text(encoding="utf-8"), line), encoding="utf-8")
    return 0


def _copy() -> Callable[[], object]:
    values = np.arange(ROWS, dtype=np.float64)
    return values.copy


def _prepared(name: str, kind: type[Node[Any]]) -> Callable[[], object]:
    example = kind.EXAMPLE
    node = build(name, example.params, example.types)
    given = {column: list(islice(cycle(cells), ROWS)) for column, cells in example.given.items()}
    batch = columns_of(example.types, given)
    return lambda: node.process(batch)


def _turn(run: Callable[[], object]) -> float:
    """The median of what one call takes, in ns per row, over `TURN_S`."""
    found: list[int] = []
    until_s = time.perf_counter() + TURN_S
    while len(found) < 3 or time.perf_counter() < until_s:
        begun = time.perf_counter_ns()
        run()
        found.append(time.perf_counter_ns() - begun)
    return statistics.median(found) / ROWS


def _figures(found: Sequence[float], copies: Sequence[float]) -> tuple[float, float, float]:
    """Nanoseconds, the ratio to the copy of the same round, and how far the rounds lie apart."""
    ratio = statistics.median(ns / copy for ns, copy in zip(found, copies, strict=True))
    low, middle, high = statistics.quantiles(found, n=4, method="inclusive")
    return middle, ratio, (high - low) / middle


if __name__ == "__main__":
    sys.exit(main())
