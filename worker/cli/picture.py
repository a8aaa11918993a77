"""An explained event on a terminal: a line down the nodes, and beside it what each did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from worker.batch import ColumnType
from worker.cli.console import aligned, count, out, printable
from worker.cli.explained import Event, Explained, short
from worker.codec.outcome import Drop, Scored
from worker.graph.observe import Cell, Change, Tensor, Visit
from worker.graph.plan import Step
from worker.graph.trace import ModelInput, trace

_MOST_ROWS = 40
_EVENT_LENGTH = 120
_RECORD_LENGTH = 2_000
_STYLES = ("dim", "cyan", "dim", "", "bold green")


def draw(found: Explained) -> None:
    """All events, one below the other."""
    inputs = trace(found.plan).inputs
    for i, event in enumerate(found.events):
        if i:
            out.print()
        _Picture(found, event, inputs).draw()
    total = found.timing.decode + sum(found.timing.nodes.values()) + found.timing.encode
    n = len(found.events)
    together = f", {n} events together" if n > 1 else ""
    out.print(f"\n{total * 1_000:.3f} ms{together}; once, on this machine", style="dim")


class _Picture:
    def __init__(self, found: Explained, event: Event, inputs: Sequence[ModelInput]) -> None:
        self._found, self._event, self._inputs = found, event, inputs
        drawn = ("│", "├", "└") if out.encoding.lower().startswith("utf") else ("|", "+", "`")
        self._rail, self._knot, self._end = drawn

    def draw(self) -> None:
        event, timing = self._event, self._found.timing
        out.print(f"event {event.row.number}", style="bold")
        text = printable(_text(event.row.value))
        text = text if len(text) <= _EVENT_LENGTH else f"{text[: _EVENT_LENGTH - 3]}..."
        out.print(Text(f"{self._rail} ").append(text, "dim"))
        nulls = sum(cell.value is None for cell in event.decoded)
        about = f"{count(len(event.decoded), 'column')}, {nulls} missing"
        self._head("decode", about if event.decoded else "", timing.decode)
        self._rows([("", *_shown(cell), "") for cell in event.decoded])
        for step, visit in event.visits:
            self._node(step, visit)
        self._outcome()

    def _head(self, name: str, about: str, seconds: float | None) -> None:
        line = Text(f"{self._knot} ").append(printable(name), "bold").append(f"  {about}")
        if seconds is not None:
            line.append(f"  {seconds * 1_000:.3f} ms", "dim")
        out.print(line)

    def _rows(self, rows: Sequence[tuple[str, ...]]) -> None:
        for line in aligned(rows[:_MOST_ROWS], _STYLES, f"{self._rail}   "):
            out.print(line)
        if len(rows) > _MOST_ROWS:
            more = f"... {len(rows) - _MOST_ROWS} more; `-o json` shows all"
            out.print(Text(f"{self._rail}   ").append(more, "dim"))

    def _node(self, step: Step, visit: Visit | None) -> None:
        if visit is None:
            broke = getattr(self._event.outcome, "node", "") == step.id
            why = "it broke on this event" if broke else "the event did not come here"
            self._head(step.id, f"{step.kind}, {why}", None)
            return
        self._head(step.id, step.kind, self._found.timing.nodes.get(step.id))
        if visit.inputs:
            for tensor in visit.inputs:
                self._rows(self._fed(step, tensor))
            self._rows([_gave(tensor) for tensor in visit.outputs])
        else:
            written = {change.after.column for change in visit.wrote}
            read = [cell for cell in visit.read if cell.column not in written]
            self._rows([("read", *_shown(cell), "") for cell in read])
        self._rows([("wrote", *_changed(change)) for change in visit.wrote])
        if visit.removed:
            self._rows([("removed", ", ".join(visit.removed))])
        if visit.decision is not None:
            decision = visit.decision
            kind = "dropped" if decision.stage is None else "rejected"
            said = f"{kind}: {decision.reason} {decision.message}".rstrip()
            style = "yellow" if decision.stage is None else "bold red"
            out.print(Text(f"{self._rail}   ").append(printable(said), style))

    def _fed(self, step: Step, tensor: Tensor) -> list[tuple[str, ...]]:
        """What the model's input was fed, each value with the column that it came from."""
        kind = f"{tensor.name} {tensor.dtype}[1, {', '.join(map(str, tensor.values.shape))}]"
        values = tensor.values.reshape(-1).tolist()
        rows: list[tuple[str, ...]] = [("fed", kind, "", "", "")]
        for feature in _features(self._inputs, step.id, tensor.name):
            name, kind_, start = feature
            length = kind_.length
            value = values[start] if length is None else values[start : start + length]
            rows.append(("", f"  {name}", str(kind_), short(value), ""))
        return rows

    def _outcome(self) -> None:
        outcome, timing = self._event.outcome, self._found.timing
        line = Text(f"{self._end} ")
        if isinstance(outcome, Scored):
            topic = outcome.topic or self._found.plan.spec.sink.topic
            line.append("scored", "bold green").append(f" to {topic}, {len(outcome.value):,} bytes")
            line.append(f"  {timing.encode * 1_000:.3f} ms", "dim")
            out.print(line)
            record = printable(_text(outcome.value))
            more = len(record) > _RECORD_LENGTH
            out.print("  " + record[:_RECORD_LENGTH] + ("..." if more else ""))
        elif isinstance(outcome, Drop):
            place = f" by {outcome.node}" if outcome.node else ""
            out.print(line.append(f"dropped{place}: {printable(outcome.reason)}", "bold yellow"))
        else:
            place = f"{outcome.stage} {outcome.node}".strip()
            said = f"rejected ({place}): {outcome.error}: {printable(outcome.message)}"
            out.print(line.append(said, "bold red"))


def _features(
    inputs: Sequence[ModelInput], node: str, tensor: str
) -> Iterator[tuple[str, ColumnType, int]]:
    for row in inputs:
        if (row.node, row.tensor.name) == (node, tensor):
            for feature in row.features:
                yield feature.column, feature.type, feature.start


def _gave(tensor: Tensor) -> tuple[str, ...]:
    kind = f"{tensor.name} {tensor.dtype}[1{''.join(f', {n}' for n in tensor.values.shape)}]"
    return "gave", kind, "", short(tensor.values.tolist()), ""


def _shown(cell: Cell) -> tuple[str, str, str]:
    return cell.column, str(cell.type), short(cell.value)


def _changed(change: Change) -> tuple[str, ...]:
    after, before = change.after, change.before
    if before is None:
        return after.column, str(after.type), "", short(after.value)
    kind = str(after.type) if before.type == after.type else f"{before.type} -> {after.type}"
    now = "(the same)" if before.value == after.value else f"-> {short(after.value)}"
    return after.column, kind, short(before.value), now


def _text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")
