"""Whether the promises of delivery hold while workers, brokers and networks fail."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

from confluent_kafka import KafkaException
from rich.console import Console

from faults import page
from faults.finding import Finding
from faults.report import Report, commit, facts
from faults.stage import BROKER, JVM, Stage, slack
from faults.suite import ROWS
from tests.broker import RealKafka
from tests.jars import KafkaUnavailable

SEED = 6
EPILOG = """examples:
  make faults                          every row, in less than 40 minutes on 2 cores
  make faults ARGS=--write             and the table of docs/reliability.md
  python -m faults kills zombies       two of them
  python -m faults --quick             a fraction of everything, to see that it runs

exit codes: 0 every pass line is met, 1 one is missed, 3 no Kafka can be had, 130 interrupted
"""
_BROKEN = (AssertionError, RuntimeError, OSError, KafkaException)

talk = Console(stderr=True, highlight=False)


def main(given: Sequence[str] | None = None) -> int:
    """Plays, prints and keeps the findings; the exit code."""
    arguments = _arguments(given)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that no process is left behind
    told = facts(arguments.seed, arguments.quick)
    out = Console(highlight=False, soft_wrap=True)
    for name, value in told.items():
        out.print(f"{name}: {value}", markup=False)
    under = commit() + (", quick" if arguments.quick else "")
    try:
        findings = []
        for finding in _played(arguments):
            findings.append(replace(finding, under=under))
            _show(out, finding)
    except KafkaUnavailable as error:
        talk.print(f"no Kafka: {error}", markup=False)
        return 3
    except KeyboardInterrupt:
        return 130
    met = sum(one.passed for one in findings)
    took_s = sum(one.seconds for one in findings)
    out.print(f"{met} of {len(findings)} met, in {took_s / 60:.1f} minutes", markup=False)
    report = _joined(Report(told, findings))
    talk.print(f"kept in {report.write()}", markup=False)
    if arguments.write:
        talk.print(f"written: {page.write(report)}", markup=False)
    return int(met < len(findings))


def _played(arguments: argparse.Namespace) -> Iterator[Finding]:
    with (
        tempfile.TemporaryDirectory(prefix="rtml-faults-") as folder,
        talk.status("starting Kafka") as status,
        RealKafka(BROKER, jvm=JVM) as kafka,
    ):
        for name in arguments.rows:
            status.update(name)
            stage = Stage(
                kafka.bootstrap,
                Path(folder),
                arguments.seed,
                arguments.quick,
                lambda text, name=name: status.update(f"{name}: {text}"),  # type: ignore[misc]
                slack(),
            )
            yield from _of(name, stage)


def _of(name: str, stage: Stage) -> Iterator[Finding]:
    """The findings of a row; a row that breaks is one that is missed, and ends no other."""
    began_s = time.monotonic()
    findings = iter(ROWS[name](stage))
    while True:
        try:
            with redirect_stdout(sys.stderr):
                found = next(findings, None)
        except _BROKEN as error:
            found = Finding(name, "", f"broke: {error}", "", False)
            findings = iter(())
        if found is None:
            return
        now_s = time.monotonic()
        yield replace(found, row=name, seconds=now_s - began_s)
        began_s = now_s


def _joined(report: Report) -> Report:
    """With what earlier calls found in the rows that this one did not play."""
    before = Report.read()
    played = {one.row for one in report.findings}
    kept = [one for one in before.findings if one.row not in played] if before else []
    order = list(ROWS)
    findings = [one for one in [*kept, *report.findings] if one.row in order]
    return Report(report.facts, sorted(findings, key=lambda one: order.index(one.row)))


def _show(out: Console, one: Finding) -> None:
    mark = "[green]met[/green]" if one.passed else "[red]missed[/red]"
    out.print(f"[bold]{one.row}[/bold] {mark} ({one.seconds:.0f} s)")
    for name, text in (("done", one.done), ("found", one.figure), ("wanted", one.wanted)):
        out.print(f"  {name:6} {text}", markup=False)


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m faults",
        description=__doc__,
        epilog=f"rows: {', '.join(ROWS)}\n\n{EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help="see below; by default all")
    parser.add_argument("--quick", action="store_true", help="a fraction of everything")
    parser.add_argument("--write", action="store_true", help="the table of docs/reliability.md")
    parser.add_argument("--seed", type=int, default=SEED, metavar="N", help=f"by default {SEED}")
    found = parser.parse_args(given)
    if unknown := [name for name in found.rows if name not in ROWS]:
        parser.error(f"no row {', '.join(unknown)}; there are {', '.join(ROWS)}")
    found.rows = found.rows or list(ROWS)
    return found


if __name__ == "__main__":
    sys.exit(main())
