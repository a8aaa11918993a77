"""`rtml nodes`: which node kinds there are, what they take and what they do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli.console import (
    WRITE,
    Output,
    OutputOption,
    count,
    err,
    not_writable,
    out,
    print_json,
    print_rows,
    write_text,
)
from worker.errors import ConfigError, Problem, nearest

if TYPE_CHECKING:
    from worker.authoring.node import Node as Step
    from worker.cli.steps import Steps
    from worker.nodes.base import Node


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("nodes", rich_help_panel=WRITE, epilog="Example: rtml nodes OneHotEncoder")(nodes)


def nodes(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help="Show this one with its params.")
    ] = None,
    output: OutputOption = Output.TABLE,
    markdown: Annotated[
        Path | None,
        typer.Option("--markdown", metavar="DIR", help="Write a page per kind into this folder."),
    ] = None,
) -> None:
    """List the node kinds, or show one with its params and an example.

    Among them are those that only a notebook has; no graph takes them.
    """
    from worker.cli import kinds as described
    from worker.cli import steps as only
    from worker.graph.json_schema import summary
    from worker.nodes.registry import kinds

    known, steps = kinds(), only.steps()
    if kind is not None and kind not in known and kind not in steps:
        raise ConfigError(Problem("", f"no node kind '{kind}'{nearest(kind, [*known, *steps])}"))
    if markdown is not None:
        if kind is not None:
            raise ConfigError(Problem("", "--markdown writes every kind; leave KIND away"))
        _write_pages(known, steps, markdown)
    elif output is Output.JSON:
        reports = {name: described.report(name, one) for name, one in known.items()}
        reports |= {name: only.report(name, one) for name, one in steps.items()}
        print_json(list(reports.values()) if kind is None else reports[kind])
    elif kind is None:
        rows = [(name, _plain(summary(one))) for name, one in known.items()]
        rows += [(name, f"{_plain(summary(one))} (notebook)") for name, one in steps.items()]
        print_rows(rows, ("bold",))
    elif kind in steps:
        _print_step(kind, steps[kind])
    else:
        _print(kind, known[kind])


def _write_pages(known: Mapping[str, type[Node[Any]]], steps: Steps, folder: Path) -> None:
    from worker.cli.pages import measure_of, measured, pages

    made = pages(known, steps)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(not_writable(folder, error)) from error
    for name, text in made.items():
        path = folder / name
        before = path.read_text(encoding="utf-8") if path.is_file() else ""
        write_text(measured(text, measure_of(before)), path)
    err.print(f"{count(len(made), 'page')} in {folder}")


def _print(name: str, kind: type[Node[Any]]) -> None:
    from worker.cli.kinds import params, snippet
    from worker.graph.json_schema import description

    out.print(name, style="bold")
    out.print(_plain(description(kind)))
    if not kind.row_independent:
        out.print("The result for an event may depend on the others of its batch.", style="yellow")
    if not kind.__module__.startswith("worker.nodes."):
        out.print(f"From {kind.__module__}.", style="dim")
    out.print("\nparams", style="bold")
    rows = [(param.name, param.type, param.shown_default) for param in params(kind)]
    print_rows(rows or [("none", "", "")], ("cyan", "", "dim"), indent=2)
    example = kind.EXAMPLE
    out.print("\nexample", style="bold")
    out.print("  nodes:")
    out.print("\n".join(f"    {line}" for line in snippet(name, kind).splitlines()))
    types = {column: str(of) for column, of in example.types.items()}
    _print_columns("goes in", {f"{c} ({types[c]})": cells for c, cells in example.given.items()})
    _print_columns("comes out", example.gives)


def _print_step(name: str, step: type[Step]) -> None:
    from worker.cli.kinds import params_of
    from worker.cli.steps import call, models
    from worker.graph.json_schema import description

    out.print(name, style="bold")
    out.print(_plain(description(step)))
    out.print("Only a notebook has it; no graph takes it.", style="yellow")
    out.print("\nparams", style="bold")
    rows = [(param.name, param.type, param.shown_default) for param in params_of(step.Params)]
    print_rows(rows, ("cyan", "", "dim"), indent=2)
    for task, paths in models(name).items():
        out.print(f"\nmodels, {task}", style="bold")
        print_rows([(path,) for path in paths], indent=2)
    out.print("\nexample", style="bold")
    out.print("\n".join(f"  {line}" for line in call(name, step).splitlines()))


def _print_columns(title: str, columns: Mapping[str, list[Any]]) -> None:
    if not columns:
        return
    out.print(f"\n{title}", style="bold")
    rows = zip(*columns.values(), strict=True)
    print_rows([list(columns), *([_cell(v) for v in row] for row in rows)], ("",), indent=2)


def _cell(value: Any) -> str:
    return "missing" if value is None else json.dumps(value, ensure_ascii=False)


def _plain(docstring: str) -> str:
    return docstring.replace("``", "`")
