"""What became of a file's events: counted, and the lines about those that were not scored."""

from __future__ import annotations

import json
from collections import Counter

from worker.cli.console import count, err, printable
from worker.codec.outcome import Drop, Scored
from worker.dataset.rows import Row
from worker.errors import Fault

_MOST_EXAMPLES = 5


def reject_line(row: Row, outcome: Drop | Fault) -> bytes:
    """A JSON line about an event that was not scored, with the event as it was read."""
    about: dict[str, object] = {"row": row.number}
    if isinstance(outcome, Drop):
        about |= {"dropped": outcome.reason, "node": outcome.node}
    else:
        about |= {"stage": outcome.stage, "node": outcome.node}
        about |= {"error": outcome.error, "message": outcome.message}
    about["value"] = row.value.decode("utf-8", "backslashreplace")
    return json.dumps(about, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


class Tally:
    """Counts outcomes, and keeps the first rejections as examples."""

    def __init__(self, noun: str = "event") -> None:
        """``noun``: what is counted."""
        self._noun = noun
        self.events = self.scored = self.rejected = 0
        self._reasons: Counter[str] = Counter()
        self._examples: list[str] = []

    def add(self, place: str, outcome: Scored | Drop | Fault) -> None:
        """One event's outcome; ``place``: where it stands."""
        self.events += 1
        if isinstance(outcome, Fault):
            self.rejected += 1
            by = f"{outcome.stage} {outcome.node}".strip()
            self._reasons[f"rejected: {outcome.error} ({by})"] += 1
            if len(self._examples) < _MOST_EXAMPLES:
                self._examples.append(f"{place}: {outcome.message}")
        elif isinstance(outcome, Drop):
            self._reasons[f"dropped: {outcome.reason}"] += 1
        else:
            self.scored += 1

    def print(self, *, with_examples: bool, all_of_them: str = "") -> None:
        """The sums on stderr, each reason on a line, and some rejections if wanted.

        Args:
            with_examples: whether the first rejections are shown.
            all_of_them: how to see all.
        """
        others = self.events - self.scored - self.rejected
        style = "bold red" if self.rejected else "bold"
        err.print(
            f"{count(self.events, self._noun)}: {self.scored:,} scored, {others:,} dropped, "
            f"{self.rejected:,} rejected",
            style=style,
        )
        for reason, n in self._reasons.most_common():
            err.print(f"  {n:>9,}  {printable(reason)}")
        if with_examples and self._examples:
            err.print(f"first rejected{all_of_them}:")
            for example in self._examples:
                err.print(f"  {printable(example)}")
