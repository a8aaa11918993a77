"""`rtml explain`: events through a graph, node by node."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from worker.cli.console import WRITE, ExitCode, Output, OutputOption, err, print_json, printable
from worker.cli.loading import GraphArgument, Loaded, load_graph
from worker.dataset.read import Format, format_of, open_events
from worker.dataset.rows import Row
from worker.errors import ConfigError, Fault, Problem


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "explain",
        rich_help_panel=WRITE,
        epilog="Example: rtml explain graphs/car-insurance graphs/car-insurance/events.jsonl "
        "--row 7",
    )(explain)


def explain(
    graph: GraphArgument,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Events; default: stdin.")
    ] = None,
    simulate: Annotated[
        bool,
        typer.Option(
            "--simulate", help="The graph's events.jsonl, or events made up to its schema."
        ),
    ] = False,
    n: Annotated[int, typer.Option("-n", "--events", min=1, max=1_000, help="How many.")] = 1,
    row: Annotated[int, typer.Option(min=1, help="The first one, counted from 1.")] = 1,
    format_: Annotated[
        Format | None,
        typer.Option("--format", help="Of the events; default: by the file's name, else jsonl."),
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what becomes of an event at each node: values, model inputs, decisions, time.

    The event is scored as `rtml score` does it, and the record at the end has the same bytes.
    Exit code 1 says that an event was rejected.
    """
    from worker.cli.explained import explained

    if file is not None and simulate:
        raise ConfigError(Problem("", "FILE and --simulate exclude each other"))
    loaded = load_graph(graph)
    with ExitStack() as stack:
        source = _rows(loaded, file, format_, stack, simulate=simulate)
        rows = list(islice(source, row - 1, row - 1 + n))
    if not rows:
        name = "" if file is None else str(file)
        raise ConfigError(Problem("", f"there is no event {row}", name))
    found = explained(loaded.plan, rows, time.perf_counter)
    if output is Output.JSON:
        print_json(found.data())
    else:
        from worker.cli.picture import draw

        draw(found)
    if any(isinstance(event.outcome, Fault) for event in found.events):
        raise typer.Exit(ExitCode.NO)


def _rows(
    loaded: Loaded, file: Path | None, format_: Format | None, stack: ExitStack, *, simulate: bool
) -> Iterator[Row]:
    from worker.dataset.shape import shape_of

    if simulate:
        from worker.stream.tools.events import samples

        return (Row(i, value) for i, (value, _) in enumerate(samples(loaded.path), 1))
    if file is None and sys.stdin.isatty():
        err.print("reading an event from the terminal, a JSON object on a line")
    shape = shape_of(loaded.plan.schema)
    source = stack.enter_context(open_events(file, format_ or format_of(file), shape))
    for note in source.notes:
        err.print(f"note: {printable(note)}", style="yellow")
    return source.rows
