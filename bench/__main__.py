"""How fast the worker is, as a ratio to the fastest that its Kafka client can be."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from confluent_kafka import KafkaException
from rich.console import Console

from bench import load, topics
from bench.report import MIN_RATIO, Report, machine
from bench.scores import CHECK_EVERY
from bench.session import Session
from tests.broker import RealKafka
from tests.jars import VERSION, KafkaUnavailable
from worker.settings import Settings

EPILOG = """examples:
  make bench                                 5 rounds of 400,000 events, then 3 rounds of latency
  make bench ARGS=--quick                    3 rounds of 100,000, in less than two minutes
  python -m bench --rounds 9 --no-guard      more rounds; a low ratio is no failure
  python -m bench --brokers localhost:9092   on a Kafka of yours; topics named bench-* are deleted

exit codes: 0 fast enough, 1 too slow or a wrong result, 3 no Kafka can be had, 130 interrupted
"""
JVM = ("-Xmx1g", "-XX:+UseSerialGC")
FIRST_COMPILER = "-XX:TieredStopAtLevel=1"
"""The second would take one of two cores for the first minute, from the throughput; latency is
measured for longer, after a warm-up of its own, on a broker that has both."""
LATENCY_ROUNDS = 3

talk = Console(stderr=True, highlight=False)


def main(given: Sequence[str] | None = None) -> int:
    """Measures, prints and keeps the result; the exit code."""
    options = _arguments(given)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that no process is left behind
    try:
        report = _measured(options)
    except KafkaUnavailable as error:
        talk.print(f"no Kafka: {error}", markup=False)
        return 3
    except (RuntimeError, KafkaException) as error:
        talk.print(f"failed: {error}", markup=False)
        return 1
    except KeyboardInterrupt:
        return 130
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
    events, rounds, seconds = _between(20_000, 5_000_000), _between(1, 50), _between(1, 600)
    parser.add_argument("--events", type=events, metavar="N", help="events of a round (400000)")
    parser.add_argument("--rounds", type=rounds, metavar="N", help="rounds (5)")
    parser.add_argument("--seconds", type=seconds, metavar="N", help="of a round of latency (10)")
    parser.add_argument("--quick", action="store_true", help="100000 events, 3 rounds, 5 seconds")
    parser.add_argument("--no-guard", action="store_true", help=f"accept ratios below {MIN_RATIO}")
    parser.add_argument("--brokers", help="use the Kafka there; by default one is started")
    found = parser.parse_args(given)
    found.events = found.events or (100_000 if found.quick else 400_000)
    found.rounds = found.rounds or (3 if found.quick else 5)
    found.seconds = found.seconds or (5 if found.quick else 10)
    return found


def _between(low: int, high: int) -> Callable[[str], int]:
    """Reads a number within bounds."""

    def read(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"must be a number from {low} to {high}")
        return int(text)

    return read


def _measured(options: argparse.Namespace) -> Report:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rtml-bench-")))
        status = stack.enter_context(talk.status("making the load"))
        where = machine()
        events = load.make(options.events)
        with _kafka(options.brokers, FIRST_COMPILER) as brokers:
            session = Session(brokers, folder, events, status.update)
            session.warm_up()
            rounds = [session.round(i, options.rounds) for i in range(options.rounds)]
        with _kafka(options.brokers) as brokers:
            session = Session(brokers, folder, events, status.update)
            paces = session.latency(1 if options.quick else LATENCY_ROUNDS, options.seconds)
    kafka = f"{VERSION}, one node, java {' '.join(JVM)}, {FIRST_COMPILER} for the throughput"
    setup = {"kafka": f"at {options.brokers}" if options.brokers else kafka, **_setup(events)}
    return Report(where, setup, rounds, paces)


@contextlib.contextmanager
def _kafka(given: str | None, *flags: str) -> Iterator[str]:
    """The Kafka that was named, else one of its own, with these flags of Java.

    Raises:
        KafkaUnavailable: nothing answers there, or none can be started.
    """
    if given is None:
        with RealKafka(jvm=(*JVM, *flags)) as kafka:
            yield kafka.bootstrap
        return
    if not topics.reachable(given):
        raise KafkaUnavailable(f"nothing answers at {given}")
    yield given


def _setup(events: list[load.Event]) -> dict[str, str]:
    """What is measured, and the settings that both share."""
    settings = Settings()
    size = sum(len(event.value) for event in events) / len(events)
    bad = sum(load.is_bad(event.number) for event in events)
    return {
        "events": f"{len(events):,}, {size:.0f} bytes of JSON each, with key and traceparent;"
        f" {bad} of them broken",
        "clients": f"acks=all, idempotent, no compression, {topics.PARTITIONS} partitions, batches"
        f" of up to {settings.max_batch_events:,}, commits every {settings.commit_interval_ms} ms",
        "product": "schema check, logistic regression, score spliced in, lineage headers, metrics,"
        " dead letters",
        "checked": f"each event came out once; 1 in {CHECK_EVERY} scores is ONNX Runtime's own to"
        " the bit",
    }


if __name__ == "__main__":
    sys.exit(main())
