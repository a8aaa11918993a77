"""How fast the worker is, as a ratio to the fastest that its Kafka client can be."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from confluent_kafka import KafkaException
from rich.console import Console

from bench import load, topics
from bench.report import MIN_RATIO, Report, machine
from bench.session import Session
from tests.broker import RealKafka
from tests.jars import VERSION, KafkaUnavailable
from worker.settings import Settings

EPILOG = """examples:
  make bench                                 5 rounds of 400,000 events, then latency
  make bench ARGS=--quick                    3 rounds of 100,000, in less than two minutes
  python -m bench --rounds 9 --no-guard      more rounds; a low ratio is no failure
  python -m bench --brokers localhost:9092   on a Kafka of yours; topics named bench-* are deleted

exit codes: 0 fast enough, 1 too slow or a wrong result, 3 no Kafka can be had
"""
JVM = ("-Xmx1g",)  # with both compilers, unlike the brokers of the tests

talk = Console(stderr=True, highlight=False)


def main(given: Sequence[str] | None = None) -> int:
    """Measures, prints and keeps the result; the exit code."""
    options = _arguments(given)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rtml-bench-")))
        try:
            brokers = options.brokers or stack.enter_context(RealKafka(jvm=JVM)).bootstrap
        except KafkaUnavailable as error:
            talk.print(f"no Kafka: {error}")
            return 3
        try:
            report = _measure(options, brokers, folder)
        except (RuntimeError, KafkaException) as error:
            talk.print(f"failed: {error}", markup=False)
            return 1
    report.show(Console())
    talk.print(f"kept in {report.write()}")
    return 0 if report.ratio >= MIN_RATIO or options.no_guard else 1


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    number = {"type": int, "metavar": "N"}
    parser.add_argument("--events", **number, help="events of each round (400000)")
    parser.add_argument("--rounds", **number, help="rounds (5)")
    parser.add_argument("--seconds", **number, help="of latency at 1,000 events/s (20)")
    parser.add_argument("--quick", action="store_true", help="100000 events, 3 rounds, 5 seconds")
    parser.add_argument("--no-guard", action="store_true", help=f"accept ratios below {MIN_RATIO}")
    parser.add_argument("--brokers", help="use the Kafka there; by default one is started")
    found = parser.parse_args(given)
    wanted = {"events": (100_000, 400_000), "rounds": (3, 5), "seconds": (5, 20)}
    bounds = {"events": (20_000, 5_000_000), "rounds": (1, 50), "seconds": (1, 600)}
    for name, (quick, full) in wanted.items():
        value = getattr(found, name)
        low, high = bounds[name]
        if value is None:
            setattr(found, name, quick if found.quick else full)
        elif not low <= value <= high:
            parser.error(f"--{name} must be from {low} to {high}")
    return found


def _measure(options: argparse.Namespace, brokers: str, folder: Path) -> Report:
    where = machine()
    with talk.status("making the load") as status:
        events = load.make(options.events)
        session = Session(brokers, folder, events, status.update)
        session.warm_up()
        rounds = [session.round(i, options.rounds) for i in range(options.rounds)]
        floor_latency, product_latency = session.latency(options.seconds)
    kafka = f"at {brokers}" if options.brokers else f"{VERSION}, one node, java {' '.join(JVM)}"
    setup = {"kafka": kafka, **_setup(events)}
    return Report(where, setup, rounds, floor_latency, product_latency)


def _setup(events: list[load.Event]) -> dict[str, str]:
    """What is measured, and the settings that both share."""
    settings = Settings()
    size = sum(len(event.value) for event in events) / len(events)
    bad = sum(load.is_bad(event.number) for event in events)
    return {
        "load": f"{len(events):,} events of {size:.0f} bytes of JSON, each with key and traceparent;"
        f" {bad} of them broken",
        "clients": f"acks=all, idempotent, no compression, {topics.PARTITIONS} partitions, batches of"
        f" up to {settings.max_batch_events:,}, commits every {settings.commit_interval_ms} ms",
        "product": "schema check, logistic regression, score spliced in, lineage headers, metrics,"
        " dead letters",
    }


if __name__ == "__main__":
    sys.exit(main())
