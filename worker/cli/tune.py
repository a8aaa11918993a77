"""`rtml tune`: settings for this machine, measured with the user's own graph."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli.console import (
    SCORE,
    ExitCode,
    Output,
    OutputOption,
    count,
    err,
    out,
    print_json,
    print_rows,
    printable,
)
from worker.cli.loading import GraphArgument, Loaded, load_graph
from worker.cli.sampled import EventsArgument, sampled

if TYPE_CHECKING:
    from worker.cli.tuning.measure import Cell
    from worker.cli.tuning.precision import Precision
    from worker.cli.tuning.propose import Proposal
    from worker.graph.plan import Plan

_MOST_THREADS = 4
_COMPARED = 1_000


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "tune",
        rich_help_panel=SCORE,
        epilog="Example: rtml tune graphs/car-insurance --p99-ms 5 --seconds 20",
    )(tune)


def tune(
    graph: GraphArgument,
    file: EventsArgument = None,
    p99_ms: Annotated[
        float | None,
        typer.Option(min=0.001, help="What 99 of 100 batches may take; default: for throughput."),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.5, max=3_600, help="To measure for.")] = 10.0,
    output: OutputOption = Output.TABLE,
) -> None:
    """Measure the graph here, for batch sizes and threads, and propose settings.

    Measured is scoring, from bytes to bytes; Kafka's own time comes on top. Exit code 1 says that
    the target cannot be met.
    """
    from worker.cli.progress import Meter
    from worker.cli.tuning.measure import BATCHES, measure
    from worker.cli.tuning.precision import precision
    from worker.cli.tuning.propose import propose
    from worker.models.threads import cpus

    granted = cpus()
    plans, loaded = _plans(graph, granted)
    events = sampled(loaded, file)
    now, most = _now(granted, sum(map(len, events)) / len(events))
    sizes = sorted({now[1], *(batch for batch in BATCHES if batch <= most)})
    with Meter(shown=True, noun="batches") as meter:
        cells = measure(plans, events, sizes, seconds, meter.update)
    compared = precision(plans[1], _models(loaded), events[:_COMPARED])
    proposal = propose(cells, p99_ms)
    about = _about(plans, events, granted)
    if output is Output.JSON:
        print_json({**about, **_data(cells, now, compared, proposal)})
    else:
        _print(about, cells, now, compared, proposal)
    if proposal.cell is None:
        raise typer.Exit(ExitCode.NO)


def _plans(graph: Path, granted: float) -> tuple[dict[int, Plan], Loaded]:
    """The graph once for each number of threads; only those of a model matter."""
    loaded = load_graph(graph, threads=1)
    plans = {1: loaded.plan}
    most = min(int(granted), _MOST_THREADS) if loaded.plan.models else 1
    for threads in range(2, most + 1):
        plans[threads] = load_graph(graph, threads=threads).plan
    return plans, loaded


def _now(granted: float, mean_bytes: float) -> tuple[tuple[int, int], int]:
    """Threads and batch size of the settings as they are, and the most that the bytes allow."""
    from worker.settings import load

    names = ("RTML_MODEL_THREADS", "RTML_MAX_BATCH_EVENTS", "RTML_MAX_BATCH_BYTES")
    settings, _ = load({name: os.environ.get(name, "") for name in names}, {})
    threads = min(settings.model_threads, max(min(int(granted), _MOST_THREADS), 1))
    most = max(int(settings.max_batch_bytes / mean_bytes), 1)
    return (threads, min(settings.max_batch_events, most)), most


def _models(loaded: Loaded) -> dict[str, Path]:
    from worker.nodes.onnx_node import ONNXNode

    nodes = [(step.id, step.node) for step in loaded.plan.steps]
    return {name: node.file for name, node in nodes if isinstance(node, ONNXNode)}


def _about(plans: dict[int, Plan], events: list[bytes], granted: float) -> dict[str, Any]:
    from worker.codec.outcome import Scored
    from worker.score import score

    outcomes = score(plans[1], events)
    return {
        "graph": plans[1].spec.name,
        "cpus": granted,
        "events": len(events),
        "scored": sum(isinstance(one, Scored) for one in outcomes),
        "mean_bytes": sum(map(len, events)) / len(events),
    }


def _data(
    cells: list[Cell], now: tuple[int, int], compared: list[Precision], proposal: Proposal
) -> dict[str, Any]:
    return {
        "measured": [_measured(cell, _base(cells, now)) for cell in cells],
        "now": {"threads": now[0], "batch": now[1]},
        "precision": [one.data() for one in compared],
        "proposed": proposal.settings(),
        "reason": proposal.reason,
    }


def _base(cells: list[Cell], now: tuple[int, int]) -> float:
    """What an event costs with the settings as they are, in µs."""
    found = [cell for cell in cells if (cell.threads, cell.batch) == now]
    return (found or cells)[0].us_per_event


def _measured(cell: Cell, base_us: float) -> dict[str, Any]:
    return {
        "threads": cell.threads,
        "batch": cell.batch,
        "events_per_second": 1e6 / cell.us_per_event,
        "us_per_event": cell.us_per_event,
        "ratio": base_us / cell.us_per_event,
        "spread": cell.spread,
        "p50_ms": cell.p50_ms,
        "p99_ms": cell.p99_ms,
        "batches": len(cell.batches_s),
    }


def _print(
    about: dict[str, Any],
    cells: list[Cell],
    now: tuple[int, int],
    compared: list[Precision],
    proposal: Proposal,
) -> None:
    said = f"{about['graph']}: {count(about['events'], 'event')} of {about['mean_bytes']:.0f} bytes"
    out.print(
        printable(f"{said}, {about['scored']:,} scored; {about['cpus']:g} CPUs"), style="bold"
    )
    heads = ("threads", "batch", "events/s", "us/event", "ratio", "spread", "p50 ms", "p99 ms", "")
    rows: list[tuple[str, ...]] = [heads]
    for cell in cells:
        one = _measured(cell, _base(cells, now))
        notes = ["now"] if (cell.threads, cell.batch) == now else []
        notes += ["proposed"] if cell is proposal.cell else []
        rows.append(
            (
                str(cell.threads),
                f"{cell.batch:,}",
                f"{one['events_per_second']:,.0f}",
                f"{cell.us_per_event:.2f}",
                f"{one['ratio']:.2f}",
                f"{cell.spread:.0%}",
                f"{cell.p50_ms:.3f}",
                f"{cell.p99_ms:.3f}",
                ", ".join(notes),
            )
        )
    print_rows(rows, ("", "bold", "", "", "cyan", "dim", "", "", "bold green"), indent=2)
    if compared:
        out.print("\nfloat32 beside float64", style="bold")
        print_rows([_precise(one) for one in compared], ("cyan", "", ""), indent=2)
    out.print()
    if proposal.cell is None:
        err.print(printable(proposal.reason), style="bold red")
        return
    out.print(proposal.reason, style="dim")
    for name, value in proposal.settings().items():
        out.print(f"{name}={value}", style="bold green")
    if proposal.cell.threads > 1:
        out.print("threads add up trees in another order: the last bits of scores may change")
    replicas = int(about["cpus"]) // proposal.cell.threads
    if replicas > 1:
        out.print(f"and a replica for each CPU: rtml run --replicas {replicas}", style="dim")


def _precise(one: Precision) -> tuple[str, str, str]:
    if one.reason:
        return one.node, "", one.reason
    differ = f"{one.beyond:,} of {count(one.events, 'event')} differ by more than rounding"
    return one.node, one.output, f"at most {one.largest:.1e} of the scale; {differ}"
