"""`rtml dataset export`: a topic into a file, for training."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Literal

import typer

from worker.cli.console import ExitCode, Output, OutputOption, count, err, out, print_json
from worker.cli.dataset.options import FormatOption, RejectsOption
from worker.cli.files import created, refuse_overwriting
from worker.cli.gather import Gathered
from worker.cli.interrupt import like_ctrl_c
from worker.cli.kafka_options import WAIT_S, BrokersOption, Waiting, WaitOption, settings_for
from worker.dataset.read import format_of
from worker.errors import ConfigError, Problem


def export(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="What to read.")],
    to: Annotated[
        Path,
        typer.Option("--out", metavar="FILE", help="Where to: .jsonl, .csv or .parquet."),
    ],
    schema: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A JSON Schema that events must fit; its types are the columns'."
        ),
    ] = None,
    n: Annotated[
        int | None, typer.Option("-n", "--events", min=1, help="Stop after so many events.")
    ] = None,
    start: Annotated[
        str,
        typer.Option(
            "--from", metavar="WHEN", help="earliest, or a time: RFC 3339, or epoch milliseconds."
        ),
    ] = "earliest",
    rejects: RejectsOption = None,
    format_: FormatOption = None,
    brokers: BrokersOption = None,
    wait: WaitOption = WAIT_S,
    output: OutputOption = Output.TABLE,
) -> None:
    """Write what is in a topic now to a file, partition by partition.

    Joins no group and commits nothing. Tombstones are left out. Exit code 1 says that records were
    rejected, or that there was none; the file appears only when it is whole.
    """
    from worker.cli.dataset.fetching import copy
    from worker.cli.dataset.tally import Tally
    from worker.cli.progress import Meter
    from worker.dataset.check import Checker, load_schema
    from worker.dataset.write import Output as File
    from worker.stream.tools.span import fetch

    parts = Gathered()
    with parts.more():
        settings = settings_for(brokers)
    with parts.more():
        at = _start(start)
    with parts.more():
        checker = Checker(True) if schema is None else load_schema(schema)
        shape = None if schema is None else checker.shape
    with parts.more():
        refuse_overwriting((to, rejects), (schema,))
    parts.check()
    with ExitStack() as stack:
        stack.enter_context(like_ctrl_c())
        file = stack.enter_context(File(to, format_ or format_of(to), shape))
        meter = stack.enter_context(Meter(shown=True))
        found = fetch(settings, topic, at, wait, Waiting())
        tally = Tally(stack.enter_context(created(rejects)) if rejects else None)
        tombstones = copy(found, file, checker, tally, n, meter.update)
        columns = file.finish(meter.update) if file.events else []
        seconds = meter.seconds
    if output is Output.JSON:
        about = {"topic": topic, "file": str(to), "events": file.events, "tombstones": tombstones}
        about |= {"rejected": tally.rejected, "seconds": seconds, "reasons": tally.reasons()}
        print_json({**about, "columns": {column.name: column.kind for column in columns}})
    else:
        wide = f", {count(len(columns), 'column')}" if columns else ""
        out.print(
            f"{count(file.events, 'event')} of {topic} to {to}{wide}, {tally.rejected:,} rejected, "
            f"{count(tombstones, 'tombstone')} left out, in {seconds:.1f} s"
        )
        tally.print_reasons()
    if not file.events:
        err.print(f"nothing to write: {to} was left as it was", style="bold red")
    if tally.rejected or not file.events:
        raise typer.Exit(ExitCode.NO)


def _start(text: str) -> Literal["earliest"] | int:
    """Where reading begins.

    Raises:
        ConfigError: neither the word nor a time.
    """
    from worker.dataset.instants import epoch_ms

    if text == "earliest":
        return "earliest"
    at_ms = epoch_ms(int(text) if text.isascii() and text.isdigit() else text)
    if at_ms is None:
        message = f"'{text}' is neither earliest nor a time such as 2026-01-31T12:00:00Z"
        raise ConfigError(Problem("--from", message))
    return at_ms
