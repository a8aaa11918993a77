"""What `rtml demo` shows in the end: some scored events, and what became of all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from worker.cli.console import Output, out, print_json, printable

if TYPE_CHECKING:
    from worker.graph.plan import Plan
    from worker.stream.tools.ledger import Ledger

_MOST_COLUMNS = 6
_MOST_CHARACTERS = 24


def report(plan: Plan, ledger: Ledger, seconds: float, output: Output, *, embedded: bool) -> None:
    """The first scored events, a table of what came in and out, and the sentence.

    Args:
        plan: of the graph.
        ledger: the counts.
        seconds: that the events took.
        output: for people or as JSON.
        embedded: whether the broker was; its speed is not Kafka's.
    """
    if output is Output.JSON:
        print_json(_as_json(plan, ledger, seconds, embedded=embedded))
        return
    if ledger.first:
        out.print()
        out.print(_events(plan, ledger))
    out.print()
    out.print(_counts(plan, ledger, seconds, embedded=embedded))
    out.print()
    out.print(str(ledger), style="bold green" if ledger.complete else "bold red")


def _events(plan: Plan, ledger: Ledger) -> Table:
    """What was added to the first scored events, behind as many of their own fields as fit."""
    events = [_flat(record.value) for record in ledger.first]
    added = _fitting([name for name in events[0] if name in plan.fields], events, out.width)
    left = out.width - sum(_width(name, events) for name in added)
    own = _fitting([name for name in events[0] if name not in plan.fields], events, left)
    title = f"the first of {ledger.first[0].topic}"
    table = Table(box=box.ROUNDED, title=title, title_style="dim", title_justify="left")
    for name in (*own, *added):
        style = "bold green" if name in added else ""
        table.add_column(_heading(name), style=style, header_style=style, no_wrap=True)
    for event in events:
        table.add_row(*(Text(_cell(event.get(name))) for name in (*own, *added)))
    return table


def _fitting(names: list[str], events: list[dict[str, Any]], width: int) -> list[str]:
    """The names, from the first on, whose columns fit."""
    ends = accumulate(_width(name, events) for name in names)
    return [name for name, end in zip(names, ends, strict=True) if end < width][:_MOST_COLUMNS]


def _width(name: str, events: list[dict[str, Any]]) -> int:
    """Of a column with its border."""
    cells = (_heading(name), *(_cell(event.get(name)) for event in events))
    return max(map(cell_len, cells)) + 3


def _heading(name: str) -> str:
    return printable(name.rpartition(".")[2])


def _flat(value: bytes | None, prefix: str = "") -> dict[str, Any]:
    """An event's values by dotted path."""
    return dict(_leaves(json.loads(value or b"{}"), prefix))


def _leaves(event: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in event.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _cell(value: Any) -> str:
    text = printable(value) if isinstance(value, str) else _number(value)
    return text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 1] + "…"


def _number(value: Any) -> str:
    """Numbers with four digits, also in vectors; anything else as JSON."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return f"[{', '.join(map(_number, value))}]"
    return json.dumps(value)


def _counts(plan: Plan, ledger: Ledger, seconds: float, *, embedded: bool) -> Table:
    spec, per_second = plan.spec, _rate(ledger, seconds)
    where = ", embedded broker" if embedded else ""
    table = Table(box=box.ROUNDED, show_header=False)
    # Where the terminal is narrow only the last column gives way.
    most = f"{max(ledger.sent, round(per_second)):,}"
    table.add_column(no_wrap=True, min_width=len("dead letters"))
    table.add_column(justify="right", style="bold", no_wrap=True, min_width=len(most))
    table.add_column(style="dim", overflow="fold")
    table.add_row("in", f"{ledger.sent:,}", spec.source.topic)
    table.add_row("scored", f"{ledger.scored.total():,}", spec.sink.topic)
    if len(plan.topics) > 1:
        for topic in plan.topics:
            table.add_row("", f"{ledger.scored[topic]:,}", topic, style="dim")
    table.add_row("dropped", f"{sum(ledger.dropped.values()):,}", "")
    for reason, n in ledger.dropped.items():
        table.add_row("", f"{n:,}", printable(reason), style="dim")
    table.add_row("dead letters", f"{ledger.dead.total():,}", spec.dead_letter_topic)
    for (stage, error), n in ledger.dead.most_common():
        table.add_row("", f"{n:,}", printable(f"{stage}: {error}"), style="dim")
    table.add_row("rate", f"{per_second:,.0f}", f"events/s in {seconds:.2f} s{where}")
    return table


def _rate(ledger: Ledger, seconds: float) -> float:
    return ledger.outcomes / seconds if seconds else 0.0


def _as_json(plan: Plan, ledger: Ledger, seconds: float, *, embedded: bool) -> dict[str, Any]:
    return {
        "graph": plan.spec.name,
        "complete": ledger.complete,
        "in": ledger.sent,
        "scored": {topic: ledger.scored[topic] for topic in plan.topics},
        "dropped": dict(ledger.dropped),
        "dead_letters": [
            {"stage": stage, "error": error, "events": n}
            for (stage, error), n in ledger.dead.items()
        ],
        "seconds": round(seconds, 3),
        "events_per_second": round(_rate(ledger, seconds), 1),
        "embedded_broker": embedded,
        "first": [json.loads(record.value or b"null") for record in ledger.first],
    }
