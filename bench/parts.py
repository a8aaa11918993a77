"""The parts of the benchmark: what each compares, and how much of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench import broker, sweep, twelve, workloads
from bench.contenders import EVERY, FLOOR, PRODUCT, Contender, product
from bench.latency import RATE
from bench.options import Options, Sizes
from bench.report import machine
from bench.results import Result
from bench.sweep import Case

REPLICAS = (1, 2, 4)
PARTITIONS = (1, 8, 64)
COLUMNS = (1, 10, 50)
SMALL_COLUMNS = 4
PADDINGS = {"100 B": 0, "1 KB": 900, "10 KB": 9_900, "100 KB": 99_900}
"""What an event of `SMALL_COLUMNS` needs to have about that size."""
JAVA = "kafka-streams"


@dataclass(frozen=True, slots=True)
class Part:
    """A comparison of throughputs.

    Attributes:
        cases: its conditions; it may write to the folder of the options.
        full: how much is measured by default, and ``quick`` in a hurry.
        latency: the first case's latencies are measured too.
    """

    cases: Callable[[Options], Sequence[Case]]
    full: Sizes
    quick: Sizes
    latency: bool = False


def run(name: str, options: Options) -> Result:
    """Measures one part.

    Raises:
        RuntimeError: the process of the floor or the product ended, or its output is wrong.
        KafkaUnavailable: there is none.
    """
    part, where = PARTS[name], machine()
    sizes = options.sizes(part.full, part.quick)
    cases = part.cases(options)
    for case in cases:
        case.keep(options.only)
    points = sweep.throughput(options, sizes, cases)
    if part.latency:
        sweep.latencies(options, cases[0], RATE, sizes.seconds)
    setup = {
        "kafka": broker.about(options.brokers),
        "rounds": f"{sizes.rounds} of up to {sizes.events:,} events, checked",
    }
    return Result(name, where, setup, points)


def _peers(_: Options) -> list[Case]:
    return [Case("lr", workloads.lr(), EVERY)]


def _workloads(options: Options) -> list[Case]:
    java = next(one for one in EVERY if one.name == JAVA)
    three: tuple[Contender, ...] = (FLOOR, PRODUCT, java)
    trees = workloads.numbers(options.folder, "trees", trees=100)
    flat = (trees, workloads.crayfish(options.folder))
    folder = options.folder
    deep = (workloads.insurance(folder), workloads.insurance_model(folder))
    graphs = (twelve.graph(folder), twelve.alone(folder), *deep)
    own = [Case(one.name, one, (PRODUCT,)) for one in graphs]
    return [*(Case(one.name, one, three) for one in flat), *own]


def _guarantees(options: Options) -> list[Case]:
    twice, once = workloads.lr(), workloads.exactly_once(options.folder)
    return [Case("at least once", twice, (PRODUCT,)), Case("exactly once", once, (PRODUCT,))]


def _replicas(_: Options) -> list[Case]:
    cores = os.cpu_count() or 1
    return [Case(n, workloads.lr(), (product(n),)) for n in REPLICAS if n <= cores]


def _partitions(_: Options) -> list[Case]:
    return [Case(n, workloads.lr(), partitions=n) for n in PARTITIONS]


def _columns(options: Options) -> list[Case]:
    return [Case(n, workloads.numbers(options.folder, f"columns-{n}", n)) for n in COLUMNS]


def _sizes(options: Options) -> list[Case]:
    return [
        Case(at, workloads.numbers(options.folder, f"padding-{n}", SMALL_COLUMNS, n))
        for at, n in PADDINGS.items()
    ]


_SWEEP, _SHORT = Sizes(50_000, 3, 0), Sizes(20_000, 1, 0)
PARTS = {
    "peers": Part(_peers, Sizes(160_000, 3, 6), Sizes(60_000, 1, 2), latency=True),
    "workloads": Part(_workloads, Sizes(100_000, 3, 0), _SHORT),
    "guarantees": Part(_guarantees, Sizes(500_000, 3, 0), _SHORT),
    "replicas": Part(_replicas, Sizes(200_000, 3, 0), _SHORT),
    "partitions": Part(_partitions, _SWEEP, _SHORT),
    "columns": Part(_columns, _SWEEP, _SHORT),
    "sizes": Part(_sizes, _SWEEP, _SHORT),
}
