"""Whether a worker leaks or loses in the long run; see docs/soak.md."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from bench.broker import kafka
from bench.options import between
from bench.soak import draw, page, run
from bench.soak.course import Course
from bench.soak.events import MAX_EVENTS
from tests.jars import KafkaUnavailable

EPILOG = """examples:
  make soak MINUTES=60                           an hour; figures, samples and plot in bench/out
  python -m bench.soak --minutes 60 --write      and into docs/soak.md
  python -m bench.soak --minutes 5 --rate 1000   shorter and faster

exit codes: 0 nothing leaks and nothing is lost, 1 otherwise, 3 no Kafka can be had, 130 interrupted
"""

talk = Console(stderr=True, highlight=False)


def main(given: Sequence[str] | None = None) -> int:
    """Runs, prints and keeps the results; the exit code."""
    arguments = _arguments(given)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that no process is left behind
    try:
        with (
            tempfile.TemporaryDirectory(prefix="rtml-soak-") as folder,
            kafka(arguments.brokers) as brokers,
        ):
            problems = _course(brokers, Path(folder), arguments)
    except KafkaUnavailable as error:
        talk.print(f"no Kafka: {error}", markup=False)
        return 3
    except RuntimeError as error:
        talk.print(f"failed: {error}", markup=False)
        return 1
    except KeyboardInterrupt:
        return 130
    for problem in problems:
        talk.print(problem, markup=False)
    return int(bool(problems))


def _course(brokers: str, folder: Path, arguments: argparse.Namespace) -> list[str]:
    if arguments.minutes * 60 * arguments.rate > MAX_EVENTS:
        raise RuntimeError(f"more than {MAX_EVENTS:,} events")
    # Without a terminal a line each, for a log.
    with talk.status("starting") as status:
        say = status.update if talk.is_terminal else lambda text: talk.print(text, markup=False)
        found: Course = run.course(brokers, folder, arguments.minutes, arguments.rate, say)
    print(page.text(found))
    kept = found.write()
    draw.write(kept.with_suffix(".png"), found)
    talk.print(f"kept in {kept}, and beside it")
    if arguments.write:
        for path in page.write(found):
            talk.print(f"written: {path}")
    return found.problems


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.soak",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    minutes, rates = between(1, 10_000), between(1, 20_000)
    parser.add_argument("--minutes", type=minutes, default=60, metavar="N", help="default: 60")
    parser.add_argument("--rate", type=rates, default=300, metavar="N", help="events/s; 300")
    parser.add_argument("--write", action="store_true", help="figures and plot into docs/soak.md")
    parser.add_argument("--brokers", help="use the Kafka there; by default one is started")
    return parser.parse_args(given)


if __name__ == "__main__":
    sys.exit(main())
