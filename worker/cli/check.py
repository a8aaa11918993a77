"""`rtml check`: is the graph sound, and where does everything in it come from?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from worker.cli.console import (
    WRITE,
    ExitCode,
    Output,
    OutputOption,
    count,
    err,
    out,
    print_json,
    print_problems,
    print_rows,
)
from worker.cli.loading import GraphArguments, Loaded, load_graph
from worker.cli.ways import feature_groups, print_groups
from worker.errors import ConfigError, Problem

if TYPE_CHECKING:
    from worker.graph.trace import Rest, Way
    from worker.models.inspect import Report


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("check", rich_help_panel=WRITE, epilog="Example: rtml check graphs/car-insurance")(
        check
    )


def check(graphs: GraphArguments, output: OutputOption = Output.TABLE) -> None:
    """Check graphs without Kafka: every problem, or where each model input comes from."""
    reports: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for graph in graphs:
        try:
            loaded = load_graph(graph, inspected=True)
        except ConfigError as error:
            problems += error.problems
            reports.append(_refused(graph, error))
            continue
        if output is Output.JSON:
            reports.append(_report(loaded))
        else:
            _print(loaded)
    if output is Output.JSON:
        print_json(reports)
    if problems:
        print_problems(problems)
        raise typer.Exit(ExitCode.REFUSED)
    err.print(f"{count(len(graphs), 'graph')}, no problems", style="green")


def _print(loaded: Loaded) -> None:
    from worker.graph.trace import trace

    plan = loaded.plan
    spec, found = plan.spec, trace(plan)
    out.print(f"{spec.name}: {count(len(plan.steps), 'node')}", style="bold")
    topics = ", ".join(plan.topics)
    print_rows(
        [
            ("file", str(loaded.path)),
            ("source", spec.source.topic),
            ("sink", f"{topics} ({spec.sink.into})"),
            ("dead letters", spec.dead_letter_topic),
            ("delivery", spec.delivery.guarantee.replace("_", " ")),
        ],
        ("dim",),
        indent=2,
    )
    if loaded.models:
        out.print("\n  models, tried alone and in batches")
        print_rows([_model_row(name, report) for name, report in loaded.models.items()], indent=4)
    for row in found.inputs:
        out.print(f"\n  model {row.model} in '{row.node}', input '{row.tensor.name}' {row.tensor}")
        print_groups(feature_groups(row))
    out.print("\n  fields written by the sink")
    print_groups([(o.ways, [(f"-> {o.field}", str(o.type))]) for o in found.outputs])
    if found.rest:
        out.print("\n  other event fields")
        print_rows([_rest_row(rest) for rest in found.rest], ("cyan",), indent=4)
    out.print()


def _model_row(name: str, report: Report) -> tuple[str, str, str, str]:
    opsets = ", ".join(f"{domain} {version}" for domain, version in report.opsets.items())
    return name, f"{report.size_bytes:,} bytes", opsets, _batches(report)


def _batches(report: Report) -> str:
    from worker.models.neighbours import ROUNDING

    difference = report.batch_difference
    if report.batch_invariant is None:
        return "not tried in batches"
    if report.batch_invariant:
        return "the same bits in any batch"
    if difference is not None and difference > ROUNDING:
        return f"rows: coupled, results differ by {difference:.2g} with the events beside them"
    return "the last bits depend on the batch"


def _rest_row(rest: Rest) -> tuple[str, str, str]:
    role = f"decides in {', '.join(rest.readers)}" if rest.readers else "nothing reads it"
    return rest.field, str(rest.type), role


def _refused(graph: Path, error: ConfigError) -> dict[str, Any]:
    problems = [
        {"file": p.file, "line": p.line, "path": p.path, "message": p.message}
        for p in error.problems
    ]
    return {"graph": str(graph), "ok": False, "problems": problems}


def _report(loaded: Loaded) -> dict[str, Any]:
    from worker.graph.trace import trace

    plan, found = loaded.plan, trace(loaded.plan)
    return {
        "graph": str(loaded.path),
        "ok": True,
        "name": plan.spec.name,
        "digest": plan.digest,
        "source": plan.spec.source.topic,
        "topics": list(plan.topics),
        "models": plan.models,
        "inspected": {
            name: {
                "batch_invariant": report.batch_invariant,
                "batch_difference": report.batch_difference,
                "opsets": dict(report.opsets),
            }
            for name, report in loaded.models.items()
        },
        "dead_letter": plan.spec.dead_letter_topic,
        "guarantee": plan.spec.delivery.guarantee,
        "nodes": [{"id": s.id, "type": s.kind, "after": list(s.before)} for s in plan.steps],
        "inputs": [
            {
                "node": row.node,
                "model": row.model,
                "input": row.tensor.name,
                "features": [
                    {
                        "position": feature.start,
                        "column": feature.column,
                        "type": str(feature.type),
                        "from": _ways(feature.ways),
                    }
                    for feature in row.features
                ],
            }
            for row in found.inputs
        ],
        "outputs": [
            {"field": field.field, "type": str(field.type), "from": _ways(field.ways)}
            for field in found.outputs
        ],
        "other_fields": [
            {"field": rest.field, "type": str(rest.type), "readers": list(rest.readers)}
            for rest in found.rest
        ],
    }


def _ways(ways: tuple[Way, ...]) -> list[dict[str, Any]]:
    return [{"origin": way.origin, "nodes": list(way.nodes)} for way in ways]
