"""What became of the events that were sent, and whether every one is accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from worker.stream.tools.read import Stored

STAGE, ERROR = "rtml-dlq-stage", "rtml-dlq-error"
KEPT = 5


@dataclass
class Ledger:
    """Counts, filled while a run goes on.

    Attributes:
        sent: events that Kafka acknowledged in the source topic.
        scored: records in the sinks, by topic.
        dropped: what the worker counted, by reason.
        dead: records in the dead-letter topic, by stage and error.
        first: the first `KEPT` scored records.
    """

    dead_letter_topic: str
    sent: int = 0
    scored: Counter[str] = field(default_factory=Counter)
    dropped: Mapping[str, int] = field(default_factory=dict)
    dead: Counter[tuple[str, str]] = field(default_factory=Counter)
    first: list[Stored] = field(default_factory=list)

    def note(self, records: Iterable[Stored]) -> None:
        """Counts records that were read from the sinks and the dead-letter topic."""
        for record in records:
            if record.topic == self.dead_letter_topic:
                self.dead[record.header(STAGE), record.header(ERROR)] += 1
            else:
                self.scored[record.topic] += 1
                if len(self.first) < KEPT:
                    self.first.append(record)

    @property
    def outcomes(self) -> int:
        """Scored, dropped and dead letters together."""
        return self.scored.total() + sum(self.dropped.values()) + self.dead.total()

    @property
    def complete(self) -> bool:
        """Whether there is one outcome for each event."""
        return self.outcomes == self.sent

    def __str__(self) -> str:
        letters = self.dead.total()
        parts = (
            f"{self.scored.total():,} scored + {sum(self.dropped.values()):,} dropped"
            f" + {letters:,} dead letter{'' if letters == 1 else 's'}"
        )
        if self.complete:
            return f"{self.sent:,} in = {parts}"
        off = self.sent - self.outcomes
        what = f"{off:,} missing" if off > 0 else f"{-off:,} more than came in"
        return f"{self.sent:,} in, but {parts}: {what}"
