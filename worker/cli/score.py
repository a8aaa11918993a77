"""`rtml score`: a file of events through a graph, to the bytes that the stream would publish."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from worker.cli.console import SCORE, ExitCode, err, printable, write_bytes
from worker.cli.files import created, refuse_overwriting
from worker.cli.loading import GraphArgument, load_graph
from worker.cli.tally import Tally, reject_line
from worker.codec.outcome import Drop, Scored
from worker.dataset.read import Format, format_of, open_events
from worker.dataset.rows import Row
from worker.errors import Fault

if TYPE_CHECKING:
    from worker.graph.plan import Plan

BATCH_EVENTS = 1_024
BATCH_BYTES = 8_000_000


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "score",
        rich_help_panel=SCORE,
        epilog="Example: rtml score graphs/car-insurance graphs/car-insurance/events.jsonl",
    )(score_file)


def score_file(
    graph: GraphArgument,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Events; default: stdin.")
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Where scored events go; default: stdout."),
    ] = None,
    rejects: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where rejected and dropped events go, with reasons."),
    ] = None,
    format_: Annotated[
        Format | None,
        typer.Option("--format", help="Of the events; default: by the file's name, else jsonl."),
    ] = None,
) -> None:
    """Score the events of a file without Kafka: the same bytes as the stream, a line each.

    Exit code 1 says that events were rejected.
    """
    from worker.cli.progress import Meter
    from worker.dataset.shape import shape_of

    loaded = load_graph(graph)
    refuse_overwriting((to, rejects), (*loaded.files, file))
    plan = loaded.plan
    by_hand = file is None and sys.stdin.isatty()
    if by_hand:
        err.print("reading events from the terminal, one JSON object per line; end with Ctrl-D")
    tally = Tally()
    with ExitStack() as stack:
        shape = shape_of(plan.schema)
        source = stack.enter_context(open_events(file, format_ or format_of(file), shape))
        for note in source.notes:
            err.print(f"note: {printable(note)}", style="yellow")
        scored = stack.enter_context(created(to)) if to else None
        others = stack.enter_context(created(rejects)) if rejects else None
        meter = stack.enter_context(Meter(shown=to is not None or not sys.stdout.isatty()))
        for batch in _batches(source.rows, 1 if by_hand else BATCH_EVENTS):
            _write(list(_outcomes(plan, batch)), tally, scored, others)
            meter.update(tally.events, source.fraction())
    tally.print(with_examples=rejects is None, all_of_them="; all of them with --rejects FILE")
    if tally.rejected:
        raise typer.Exit(ExitCode.NO)


def _batches(rows: Iterable[Row], most: int) -> Iterator[list[Row]]:
    """Bounded by number and by bytes, as the stream's are."""
    batch: list[Row] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += len(row.value)
        if len(batch) >= most or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _outcomes(plan: Plan, batch: list[Row]) -> Iterator[tuple[Row, Scored | Drop | Fault]]:
    from worker.score import score

    outcomes = iter(score(plan, [row.value for row in batch if row.fault is None]))
    for row in batch:
        yield row, row.fault or next(outcomes)


def _write(
    outcomes: list[tuple[Row, Scored | Drop | Fault]],
    tally: Tally,
    scored: BinaryIO | None,
    others: BinaryIO | None,
) -> None:
    lines = []
    for row, outcome in outcomes:
        tally.add(f"row {row.number}", outcome)
        if isinstance(outcome, Scored):
            lines.append(outcome.value + b"\n")
        elif others is not None:
            others.write(reject_line(row, outcome))
    data = b"".join(lines)
    if scored is None:
        write_bytes(data)
    else:
        scored.write(data)
