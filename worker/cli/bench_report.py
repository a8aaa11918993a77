"""What `rtml bench` shows in the end: the worker beside the Kafka client alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table

from worker.cli.console import Output, out, print_json, printable

if TYPE_CHECKING:
    from worker.stream.tools.bench.run import Figures, Findings, Load

_FIELDS = (
    ("events/s", "events_per_second", ",.0f"),
    ("CPU us/event", "cpu_us_per_event", ".2f"),
    ("peak memory MB", "peak_rss_mb", ",.0f"),
    ("p50 ms", "p50_ms", ".2f"),
    ("p99 ms", "p99_ms", ".2f"),
    ("max ms", "max_ms", ".2f"),
)
"""Rows: title, key in the data, format."""
_UNKNOWN = "-"


def report(
    graph: str,
    brokers: str,
    partitions: int,
    load: Load,
    findings: Findings,
    busy: float,
    output: Output,
) -> None:
    """A table and the sentence of the counts, or all of it as JSON.

    Args:
        graph: its name.
        brokers: where it was measured.
        partitions: of each topic.
        load: what was given.
        findings: what was found.
        busy: the load average of this machine before it began.
        output: for people or as JSON.
    """
    data = {**_data(graph, brokers, partitions, load, findings), "load_average_before": busy}
    if output is Output.JSON:
        print_json(data)
        return
    said = f"{graph}: {load.waiting:,} events of {data['mean_bytes']:.0f} bytes"
    out.print(printable(f"{said}, {partitions} partitions, Kafka at {brokers}"), style="bold")
    out.print(_table(data))
    out.print(f"latency at {load.pace.rate:,} events/s, from when an event was due", style="dim")
    if busy > 1:
        others = "others used this machine before it began, and perhaps meanwhile"
        out.print(f"load average {busy:.1f}: {others}", style="yellow")
    out.print(
        f"one worker does {findings.ratio:.2f} of what the Kafka client alone does here",
        style="bold",
    )
    out.print(str(findings.account), style="bold green")


def _table(data: dict[str, Any]) -> Table:
    table = Table(box=box.ROUNDED)
    table.add_column("", no_wrap=True)
    table.add_column("worker", justify="right", style="bold", no_wrap=True)
    table.add_column("client alone", justify="right", no_wrap=True)
    table.add_column("ratio", justify="right", style="cyan", no_wrap=True)
    for title, key, form in _FIELDS:
        worker, floor = data["worker"][key], data["floor"][key]
        known = worker is not None and floor
        cells = (_UNKNOWN if one is None else format(one, form) for one in (worker, floor))
        table.add_row(title, *cells, f"{worker / floor:.2f}" if known else _UNKNOWN)
    return table


def _data(
    graph: str, brokers: str, partitions: int, load: Load, findings: Findings
) -> dict[str, Any]:
    ledger = findings.account.ledger
    return {
        "graph": graph,
        "brokers": brokers,
        "partitions": partitions,
        "events": load.waiting,
        "mean_bytes": sum(map(len, load.values)) / len(load.values),
        "rate": load.pace.rate,
        "seconds": load.pace.seconds,
        "worker": _figures(findings.worker),
        "floor": _figures(findings.floor),
        "ratio": findings.ratio,
        "complete": findings.account.complete,
        "in": ledger.sent,
        "scored": ledger.scored.total(),
        "dropped": dict(ledger.dropped),
        "dead_letters": [
            {"stage": stage, "error": error, "events": n}
            for (stage, error), n in ledger.dead.items()
        ],
    }


def _figures(figures: Figures) -> dict[str, float | int | None]:
    """None where it is not known: without /proc, or where nothing was timed."""
    throughput, latency = figures.throughput, figures.latency
    memory_mb = throughput.peak_rss_mb or math.nan
    found = {
        "events_per_second": throughput.events_per_s,
        "cpu_us_per_event": throughput.cpu_us_per_event,
        "peak_rss_mb": memory_mb,
        "p50_ms": latency.p50_ms,
        "p99_ms": latency.p99_ms,
        "max_ms": latency.max_ms,
    }
    known = {key: None if math.isnan(value) else value for key, value in found.items()}
    return {**known, "timed_events": latency.events}
