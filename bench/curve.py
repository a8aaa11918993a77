"""Latency against rate, up to where the contender cannot keep up."""

from __future__ import annotations

from bench import sweep, workloads
from bench.broker import about, kafka
from bench.contenders import FLOOR, PRODUCT
from bench.options import Options, Sizes
from bench.report import machine
from bench.results import Point, Result, Row
from bench.session import Session

FULL, QUICK = Sizes(0, 1, 6), Sizes(0, 1, 3)
RATES = (100, 1_000, 5_000, 20_000, 40_000)
SATURATED_MS = 1_000.0
"""A median above this is a queue that grows."""


def run(options: Options) -> Result:
    """Floor and product in turn at each rate; one that is saturated takes no further part.

    Raises:
        KafkaUnavailable: there is none.
    """
    sizes, where = options.sizes(FULL, QUICK), machine()
    points: list[Point] = []
    left = [FLOOR, PRODUCT]
    with kafka(options.brokers) as brokers:
        workload = workloads.lr()
        session = Session(brokers, options.folder, workload, options.say)
        session.latency(FLOOR, sweep.WARM_UP_S)
        for rate in RATES:
            rows = [Row(one.name, one.title) for one in left]
            for contender, row in zip(left, rows, strict=True):
                sweep.latency(session, contender, row, rate, sizes.seconds)
            points.append(Point(rate, workload.about, rows))
            pairs = zip(left, rows, strict=True)
            left = [one for one, row in pairs if row.latency and row.latency.p50_ms < SATURATED_MS]
    setup = {"kafka": about(options.brokers), "rounds": f"{sizes.seconds} s at each rate"}
    return Result("curve", where, setup, points)
