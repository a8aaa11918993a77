"""Whether a worker leaks or loses in the long run; see docs/soak.md."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from bench.broker import about, kafka
from bench.options import between
from bench.soak import changes, draw, holding, page, run
from bench.soak.changes import Say
from bench.soak.events import MAX_EVENTS
from tests.jars import KafkaUnavailable

EPILOG = """what:
  run      one worker at an even rate for so many minutes
  cycles   services published and deleted, and rebalances of the group, in both guarantees
  page     docs/soak.md from what the last ones kept in bench/out

examples:
  make soak MINUTES=60                           an hour; figures, samples and plot in bench/out
  python -m bench.soak --minutes 60 --write      and into docs/soak.md
  python -m bench.soak --minutes 5 --rate 1000   shorter and faster
  python -m bench.soak cycles --times 50         what a worker holds before and after 50 of each

exit codes: 0 nothing leaks and nothing is lost, 1 otherwise, 3 no Kafka can be had, 130 interrupted
"""

talk = Console(stderr=True, highlight=False)


def main(given: Sequence[str] | None = None) -> int:
    """Runs, prints and keeps the results; the exit code."""
    arguments = _arguments(given)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that no process is left behind
    try:
        problems = [] if arguments.what == "page" else _measured(arguments)
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
    if arguments.write or arguments.what == "page":
        for path in page.write():
            talk.print(f"written: {path}", markup=False)
    return int(bool(problems))


def _measured(arguments: argparse.Namespace) -> list[str]:
    """Measures on a Kafka; what is not as it should be."""
    with (
        tempfile.TemporaryDirectory(prefix="rtml-soak-") as folder,
        kafka(arguments.brokers) as brokers,
        talk.status("starting") as status,
    ):
        say = status.update if talk.is_terminal else _line
        measure = _cycles if arguments.what == "cycles" else _course
        return measure(brokers, Path(folder), arguments, say)


def _line(text: str) -> None:
    """Without a terminal, for a log."""
    talk.print(text, markup=False, soft_wrap=True)


def _course(brokers: str, folder: Path, arguments: argparse.Namespace, say: Say) -> list[str]:
    if arguments.minutes * 60 * arguments.rate > MAX_EVENTS:
        raise RuntimeError(f"more than {MAX_EVENTS:,} events")
    where = about(arguments.brokers, is_timed=False)
    found = run.course(brokers, where, folder, arguments.minutes, arguments.rate, say)
    print(page.text(found))
    kept = found.write()
    draw.write(kept.with_suffix(".png"), found)
    talk.print(f"kept in {kept}, and beside it", markup=False)
    return found.problems


def _cycles(brokers: str, folder: Path, arguments: argparse.Namespace, say: Say) -> list[str]:
    rows = []
    for measure in (changes.publishing, changes.rebalancing):
        for guarantee in changes.GUARANTEES:
            own = folder / str(len(rows))
            own.mkdir()
            rows.append(measure(brokers, own, arguments.times, guarantee, say))
    print(page.cycles(rows))
    talk.print(f"kept in {holding.write(rows)}", markup=False)
    return [problem for row in rows for problem in row.problems]


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.soak",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    minutes, rates, times = between(1, 10_000), between(1, 20_000), between(5, 10_000)
    parser.add_argument("what", nargs="?", choices=("run", "cycles", "page"), default="run")
    parser.add_argument("--minutes", type=minutes, default=60, metavar="N", help="of a run; 60")
    parser.add_argument("--rate", type=rates, default=300, metavar="N", help="events/s of a run")
    parser.add_argument("--times", type=times, default=50, metavar="N", help="cycles of each kind")
    parser.add_argument("--write", action="store_true", help="figures and plot into docs/soak.md")
    parser.add_argument("--brokers", help="use the Kafka there; by default one is started")
    return parser.parse_args(given)


if __name__ == "__main__":
    sys.exit(main())
