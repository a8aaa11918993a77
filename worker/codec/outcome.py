"""What became of each record: exactly one of Scored, Dropped or Rejected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from worker.errors import Fault


@dataclass(slots=True)  # as `Fault`: there may be as many as events
class Drop:
    """A record left out on purpose, counted under its reason.

    Attributes:
        row: the record's position in the batch that was read.
        reason: short and stable, such as ``tombstone``.
        node: id of the node that dropped it, empty outside the graph.
    """

    row: int
    reason: str
    node: str = ""


@dataclass(frozen=True, slots=True)
class Scored:
    """A record's scored value; ``topic`` is set where a Route chose another than the sink's."""

    value: bytes
    topic: str | None = None


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The outcomes of n records, in their order. Columnar, because the hot path walks it.

    Attributes:
        values: ``n`` entries: the scored value, None where the record was dropped or rejected.
        faults: the rejected records, ascending by row.
        drops: the dropped records, ascending by row.
        topics: ``n`` entries where a graph has a Route, else None.
        unknown: (node id, column) -> how many values were none of the node's categories or keys.
        unsure: records were rejected for others beside them, to bound the time of a model that
            does not return; in smaller batches each has its own outcome.
    """

    values: list[bytes | None]
    faults: list[Fault] = field(default_factory=list)
    drops: list[Drop] = field(default_factory=list)
    topics: list[str | None] | None = None
    unknown: Mapping[tuple[str, str], int] = field(default_factory=dict)
    unsure: bool = False

    def __len__(self) -> int:
        return len(self.values)

    def part(self, start: int, end: int) -> Outcomes:
        """The outcomes of the records ``start:end``, with rows counted from there.

        What is counted per batch goes with its first part.
        """
        return Outcomes(
            self.values[start:end],
            [replace(f, row=f.row - start) for f in self.faults if start <= f.row < end],
            [replace(d, row=d.row - start) for d in self.drops if start <= d.row < end],
            self.topics[start:end] if self.topics else None,
            self.unknown if start == 0 else {},
        )

    def __iter__(self) -> Iterator[Scored | Drop | Fault]:
        """One outcome per record."""
        others: dict[int, Drop | Fault] = {drop.row: drop for drop in self.drops}
        others.update((fault.row, fault) for fault in self.faults)
        topics = self.topics or [None] * len(self.values)
        for row, (value, topic) in enumerate(zip(self.values, topics, strict=True)):
            yield others[row] if value is None else Scored(value, topic)
