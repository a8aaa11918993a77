"""`rtml dataset infer`: a JSON Schema from a sample of events."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.console import (
    Output,
    OutputOption,
    count,
    err,
    out,
    print_json,
    print_rows,
    printable,
    write_text,
)
from worker.cli.dataset.options import FileArgument, FormatOption, opened, source
from worker.cli.files import refuse_overwriting

if TYPE_CHECKING:
    from worker.cli.dataset.tally import Tally
    from worker.dataset.infer import Row
    from worker.dataset.profile import Profile

SAMPLE_ROWS = 100_000


def infer(
    file: FileArgument,
    to: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Where the schema goes; default: stdout."),
    ] = None,
    rows: Annotated[
        int, typer.Option(min=1, help="Look at so many rows from the beginning.")
    ] = SAMPLE_ROWS,
    enums: Annotated[
        bool, typer.Option("--enums", help="List the values of text that has only few of them.")
    ] = False,
    format_: FormatOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Write the JSON Schema (draft 2020-12) that the rows of a file fit, and what is in its fields.

    The schema goes to --out and the summary to stdout; without --out the schema goes to stdout and
    the summary to stderr.
    """
    from worker.dataset.infer import infer as schema_of
    from worker.dataset.infer import summary
    from worker.dataset.read import Format, format_of

    refuse_overwriting((to,), (source(file),))
    cells = (format_ or format_of(source(file))) is Format.CSV
    profile, tally = _seen(file, format_, rows)
    text = json.dumps(schema_of(profile, enums=enums, cells=cells), indent=2, ensure_ascii=False)
    write_text(text + "\n", to)
    fields = summary(profile, cells=cells)
    if output is Output.TABLE:
        _print(fields, profile.root.seen, to_stdout=to is not None)
    elif to is not None:
        print_json([asdict(field) for field in fields])
    if tally.rejected:
        first = tally.reasons()[0]
        reason = printable(f"{first['first']}: {first['message']}")
        err.print(f"{count(tally.rejected, 'row')} left out; {reason}", style="yellow")


def _seen(file: Path, format_: FormatOption, most: int) -> tuple[Profile, Tally]:
    """What is in the first rows, and which of them are no events.

    Raises:
        ConfigError: the file cannot be read, or has no event.
    """
    from worker.cli.dataset.tally import Tally
    from worker.cli.progress import Meter
    from worker.dataset.check import Reason, parsed
    from worker.dataset.profile import Profile

    profile, tally = Profile(str(file)), Tally(None)
    with opened(file, format_, None) as events, Meter(shown=True) as meter:
        for row in islice(events.rows, most):
            tally.rows += 1
            event, reasons = parsed(row)
            if not reasons and not isinstance(event, dict):
                reasons = [Reason("$", "type", "no JSON object")]
            if reasons:
                tally.reject({"row": row.number}, reasons, row.value, no_event=True)
            else:
                profile.add(event)
            meter.update(tally.rows, events.fraction())
    tally.need_rows(str(file))
    return profile, tally


def _print(fields: list[Row], events: int, *, to_stdout: bool) -> None:
    from worker.dataset.infer import distinct

    header = ("field", "type", "missing", "distinct", "example")
    rows = [
        (one.field, one.type, f"{one.missing:,}", distinct(one.distinct), one.example)
        for one in fields
    ]
    to = out if to_stdout else err
    to.print(f"{count(events, 'row')}, {count(len(fields), 'field')}", style="bold")
    print_rows([header, *rows], ("cyan", "", "", "", "dim"), 2, to)
