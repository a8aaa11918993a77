"""How fast the worker is: beside its floor, beside its peers, and as the work grows."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from bench import curve, guard, overload, page, parts, stages, start
from bench.contenders import EVERY
from bench.options import Options, between
from bench.overload import Overload
from bench.report import MIN_RATIO, Report
from bench.results import Result
from bench.stages import Stages
from bench.start import Starts
from tests.jars import KafkaUnavailable

EPILOG = """parts:
  guard       product and floor: throughput, then latency; the only part that can fail by a ratio,
              and not among those that run by default: peers measures the same
  peers       product, floor and what a user would pick instead, on the same events and model
  workloads   product, floor and Kafka Streams on trees and on large events; graphs of nodes
              beside their models alone
  guarantees  exactly once and at least once
  start       from the start of a process to its first score, from a publish to serving
  stages      where the microseconds go, in this process
  replicas, partitions, columns, sizes   how cost grows with the work
  curve       latency against rate, up to saturation
  overload    twice what the worker can do, for a minute: memory, lag, recovery
  page        docs/performance.md and its plots, from what was kept in bench/out

examples:
  make bench                                 everything, in less than 30 minutes on 2 cores:
                                             no part begins after --minutes (26)
  make bench ARGS=--quick                    the guard with 3 rounds of 100,000, in two minutes
  make bench ARGS="peers --only bytewax"     one part, one peer
  python -m bench guard --rounds 9 --no-guard      more rounds; a low ratio is no failure
  python -m bench --brokers localhost:9092   on a Kafka of yours; topics named bench-* are deleted

exit codes: 0 fast enough, 1 too slow, wrong, or a part is missing, 3 no Kafka, 130 interrupted
"""
OTHERS = {"curve": curve.run, "overload": overload.run, "start": start.run, "stages": stages.run}
FIRST = ("peers", "workloads", "guarantees", "start", "stages", "curve", "overload")
EVERYTHING = (*FIRST, *(name for name in parts.PARTS if name not in FIRST), "page")
"""In the order in which they are measured: what would be missed most stands first."""
PARTS = ("guard", *EVERYTHING)
MINUTES = 26

talk = Console(stderr=True, highlight=False)


def main(given: Sequence[str] | None = None) -> int:
    """Measures, prints and keeps the results; the exit code."""
    arguments = _arguments(given)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that no process is left behind
    end_s = time.monotonic() + 60 * arguments.minutes
    codes = []
    try:
        for name in arguments.parts:
            if name != "page" and time.monotonic() > end_s:
                talk.print(f"{name} is not measured: {arguments.minutes} minutes are over")
                codes.append(1)
            else:
                codes.append(_part(name, arguments))
    except KeyboardInterrupt:
        return 130
    return max(codes)


def _part(name: str, arguments: argparse.Namespace) -> int:
    """Measures one part; not 0 if it is too slow or fails, which ends no other."""
    try:
        return _run(name, arguments)
    except KafkaUnavailable as error:
        talk.print(f"{name}: no Kafka: {error}", markup=False)
        return 3
    except Exception as error:  # noqa: BLE001 - whatever it is, the other parts are wanted
        talk.print(f"{name} failed: {type(error).__name__}: {error}", markup=False)
        return 1


def _run(name: str, arguments: argparse.Namespace) -> int:
    if name == "page":
        for path in page.write():
            talk.print(f"written: {path}")
        return 0
    start_s = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="rtml-bench-") as folder,
        talk.status(f"{name}: making the load") as status,
    ):
        options = Options(
            Path(folder),
            lambda text: status.update(f"{name}: {text}"),
            arguments.brokers,
            arguments.quick,
            arguments.only,
            arguments.events,
            arguments.rounds,
            arguments.seconds,
        )
        found = _measured(name, options)
    found.show(Console())
    talk.print(f"kept in {found.write()}, after {time.monotonic() - start_s:.0f} s")
    is_slow = isinstance(found, Report) and found.ratio < MIN_RATIO
    return int(is_slow and not arguments.no_guard)


def _measured(name: str, options: Options) -> Report | Result | Overload | Starts | Stages:
    if name == "guard":
        return guard.measured(options)
    return OTHERS[name](options) if name in OTHERS else parts.run(name, options)


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    events, rounds, seconds = between(20_000, 5_000_000), between(1, 50), between(1, 600)
    names = [one.name for one in EVERY]
    among = f"only these: {', '.join(names)}"
    parser.add_argument("parts", nargs="*", metavar="PART", help="see below; by default all")
    parser.add_argument("--events", type=events, metavar="N", help="events of a round")
    parser.add_argument("--rounds", type=rounds, metavar="N", help="rounds")
    parser.add_argument("--seconds", type=seconds, metavar="N", help="of one latency, or overload")
    minutes, about = between(1, 600), f"no part begins after so many; default: {MINUTES}"
    parser.add_argument("--minutes", type=minutes, default=MINUTES, metavar="N", help=about)
    parser.add_argument("--only", nargs="+", default=(), choices=names, metavar="NAME", help=among)
    parser.add_argument("--quick", action="store_true", help="less of it; the guard by default")
    parser.add_argument("--no-guard", action="store_true", help=f"accept ratios below {MIN_RATIO}")
    parser.add_argument("--brokers", help="use the Kafka there; by default one is started")
    found = parser.parse_args(given)
    if unknown := [name for name in found.parts if name not in PARTS]:
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    found.parts = found.parts or (PARTS[:1] if found.quick else EVERYTHING)
    return found


if __name__ == "__main__":
    sys.exit(main())
