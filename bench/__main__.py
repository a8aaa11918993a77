"""How fast the worker is: beside its floor, beside its peers, and as the work grows."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from confluent_kafka import KafkaException
from rich.console import Console

from bench import curve, guard, overload, page, parts
from bench.contenders import EVERY
from bench.options import Options, between
from bench.overload import Overload
from bench.report import MIN_RATIO, Report
from bench.results import Result
from tests.jars import KafkaUnavailable

EPILOG = """parts:
  guard       product and floor: throughput, then latency; the only part that can fail by a ratio
  peers       product, floor and what a user would pick instead, on the same events and model
  workloads   product and floor on trees, on a graph of nodes, on large events
  replicas, partitions, columns, sizes   how cost grows with the work
  curve       latency against rate, up to saturation
  overload    twice what the worker can do, for a minute: memory, lag, recovery
  page        docs/performance.md and its plots, from what was kept in bench/out

examples:
  make bench                                 everything, in less than 30 minutes on 2 cores
  make bench ARGS=--quick                    the guard with 3 rounds of 100,000, in two minutes
  make bench ARGS="peers --only bytewax"     one part, one peer
  python -m bench guard --rounds 9 --no-guard      more rounds; a low ratio is no failure
  python -m bench --brokers localhost:9092   on a Kafka of yours; topics named bench-* are deleted

exit codes: 0 fast enough, 1 too slow or a wrong result, 3 no Kafka can be had, 130 interrupted
"""
PARTS = ("guard", *parts.PARTS, "curve", "overload", "page")

talk = Console(stderr=True, highlight=False)


def main(given: Sequence[str] | None = None) -> int:
    """Measures, prints and keeps the results; the exit code."""
    arguments = _arguments(given)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that no process is left behind
    try:
        return max([_part(name, arguments) for name in arguments.parts])
    except KafkaUnavailable as error:
        talk.print(f"no Kafka: {error}", markup=False)
        return 3
    except KeyboardInterrupt:
        return 130


def _part(name: str, arguments: argparse.Namespace) -> int:
    """Measures one part; 1 if it is too slow or fails, which ends no other."""
    try:
        return _run(name, arguments)
    except (RuntimeError, KafkaException) as error:
        talk.print(f"{name} failed: {error}", markup=False)
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


def _measured(name: str, options: Options) -> Report | Result | Overload:
    if name == "guard":
        return guard.measured(options)
    if name == "curve":
        return curve.run(options)
    if name == "overload":
        return overload.run(options)
    return parts.run(name, options)


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
    parser.add_argument("--only", nargs="+", default=(), choices=names, metavar="NAME", help=among)
    parser.add_argument("--quick", action="store_true", help="less of it; the guard by default")
    parser.add_argument("--no-guard", action="store_true", help=f"accept ratios below {MIN_RATIO}")
    parser.add_argument("--brokers", help="use the Kafka there; by default one is started")
    found = parser.parse_args(given)
    if unknown := [name for name in found.parts if name not in PARTS]:
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    found.parts = found.parts or (PARTS[:1] if found.quick else PARTS)
    return found


if __name__ == "__main__":
    sys.exit(main())
