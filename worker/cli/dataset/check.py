"""`rtml dataset check`: every row of a file against a JSON Schema."""

from __future__ import annotations

from contextlib import ExitStack

import typer

from worker.cli.console import ExitCode, Output, OutputOption, count, out, print_json
from worker.cli.dataset.options import (
    FileArgument,
    FormatOption,
    RejectsOption,
    SchemaOption,
    opened,
    source,
)
from worker.cli.files import created, refuse_overwriting


def check(
    file: FileArgument,
    schema: SchemaOption,
    rejects: RejectsOption = None,
    format_: FormatOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Check every row of a file against a JSON Schema, and keep those that do not fit.

    Exit code 1 says that rows were rejected.
    """
    from worker.cli.dataset.tally import Tally
    from worker.cli.progress import Meter
    from worker.dataset.check import load_schema, parsed

    checker = load_schema(schema)
    with ExitStack() as stack:
        events = stack.enter_context(opened(file, format_, checker.shape))
        refuse_overwriting((rejects,), (source(file), schema))
        tally = Tally(stack.enter_context(created(rejects)) if rejects else None)
        meter = stack.enter_context(Meter(shown=True))
        for row in events.rows:
            tally.rows += 1
            event, reasons = parsed(row)
            no_event = bool(reasons)
            reasons = reasons or checker.reasons(event)
            if reasons:
                tally.reject({"row": row.number}, reasons, row.value, no_event=no_event)
            if tally.rows % 1_000 == 0:
                meter.update(tally.rows, events.fraction())
        seconds = meter.seconds
    per_second = tally.rows / max(seconds, 1e-9)
    tally.need_rows(str(file))
    if output is Output.JSON:
        print_json(
            {
                "file": str(file),
                "rows": tally.rows,
                "fit": tally.fit,
                "rejected": tally.rejected,
                "seconds": seconds,
                "rows_per_second": per_second,
                "reasons": tally.reasons(),
            }
        )
    else:
        out.print(
            f"{count(tally.rows, 'row')}: {tally.fit:,} fit, {tally.rejected:,} rejected "
            f"({per_second:,.0f} rows/s)",
            style="bold red" if tally.rejected else "bold green",
        )
        tally.print_reasons()
    if tally.rejected:
        raise typer.Exit(ExitCode.NO)
