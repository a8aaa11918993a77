"""`rtml test`: does the graph answer as its cases say?"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from worker.cli.console import (
    WRITE,
    ExitCode,
    Output,
    OutputOption,
    count,
    out,
    print_json,
    print_problems,
    printable,
)
from worker.cli.loading import GraphArguments, graph_path, load_graph
from worker.errors import ConfigError, Problem

if TYPE_CHECKING:
    from worker.graph.cases import Result

_MOST_DIFFERENCES = 20


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "test",
        rich_help_panel=WRITE,
        epilog="Example: rtml test graphs/car-insurance graphs/digits",
    )(run_cases)


def run_cases(graphs: GraphArguments, output: OutputOption = Output.TABLE) -> None:
    """Run the cases.yaml beside each graph; exit 1 when a case fails."""
    problems: list[Problem] = []
    reports: list[dict[str, Any]] = []
    failed = 0
    for graph in graphs:
        try:
            path, results = _run(graph)
        except ConfigError as error:
            problems += error.problems
            continue
        failed += sum(not result.passed for result in results)
        if output is Output.JSON:
            reports.append({"cases": str(path), "results": [_report(r) for r in results]})
        else:
            _print(path, results)
    if output is Output.JSON:
        print_json(reports)
    if problems:
        print_problems(problems)
        raise typer.Exit(ExitCode.REFUSED)
    if failed:
        raise typer.Exit(ExitCode.NO)


def _run(graph: Path) -> tuple[Path, list[Result]]:
    """The cases file and each of its results; problems of graph and cases come together."""
    from worker.graph import cases
    from worker.score import score

    path = graph_path(graph).parent / cases.FILE
    problems: list[Problem] = []
    loaded, listed = None, []
    try:
        loaded = load_graph(graph)
    except ConfigError as error:
        problems += error.problems
    try:
        if not path.exists():
            raise ConfigError(Problem("", f"there is no {cases.FILE} beside the graph", str(path)))
        listed = cases.load(path)
    except ConfigError as error:
        problems += error.problems
    if problems or loaded is None:
        raise ConfigError(problems)
    return path, cases.run(listed, functools.partial(score, loaded.plan), loaded.plan.topics[0])


def _print(path: Path, results: list[Result]) -> None:
    for result in results:
        case = result.case
        if result.passed:
            out.print(f"  ok      {printable(case.name)}", style="green")
            continue
        out.print(f"  FAILED  {printable(case.name)}  {path}:{case.line}", style="bold red")
        for difference in result.differences[:_MOST_DIFFERENCES]:
            place = f"events[{difference.event}]: " if len(case.values) > 1 else ""
            out.print(f"            {place}{printable(str(difference))}")
        more = len(result.differences) - _MOST_DIFFERENCES
        if more > 0:
            out.print(f"            and {count(more, 'more difference')}")
    passed = sum(result.passed for result in results)
    events = sum(len(result.case.values) for result in results)
    summary = f"{path}: {passed} of {count(len(results), 'case')} passed, {count(events, 'event')}"
    out.print(summary, style="bold" if passed == len(results) else "bold red")


def _report(result: Result) -> dict[str, Any]:
    return {
        "name": result.case.name,
        "line": result.case.line,
        "passed": result.passed,
        "differences": [
            {"event": difference.event, "path": difference.path, "message": str(difference)}
            for difference in result.differences
        ],
    }
