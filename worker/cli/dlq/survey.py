"""What a replay would send, before anything is sent."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from worker.cli.console import count, printable
from worker.cli.kafka_options import Waiting

if TYPE_CHECKING:
    from rich.console import Console

    from worker.cli.dlq.options import Box
    from worker.settings import Settings
    from worker.stream.tools.letters import Wanted
    from worker.stream.tools.replay import Routes


@dataclass
class Survey:
    """Letters by what a replay would do with them.

    Attributes:
        routes: where letters can go back to.
        to: letters that would be sent, by topic.
        errors: the same, by error.
        already: letters that were replayed before.
        refused: letters that cannot go back, by reason.
    """

    routes: Routes
    to: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    already: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def letters(self) -> int:
        """How many would be sent."""
        return self.to.total()

    def data(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "letters": self.letters,
            "to": dict(self.to),
            "errors": dict(self.errors),
            "already_replayed": self.already,
            "refused": dict(self.refused),
        }

    def print(self, to: Console) -> None:
        """The same for people."""
        if not self.letters:
            to.print("nothing to replay")
        for topic, n in self.to.most_common():
            to.print(printable(f"{count(n, 'letter')} to {topic}"), style="bold")
        for error, n in self.errors.most_common():
            to.print(printable(f"  {n:>9,}  {error or 'no error named'}"))
        if self.already:
            to.print(f"{count(self.already, 'letter')} replayed before", style="dim")
        for reason, n in self.refused.most_common():
            to.print(printable(f"{count(n, 'letter')} cannot: {reason}"), style="yellow")


def survey(settings: Settings, box: Box, wanted: Wanted, most: int | None) -> Survey:
    """Looks at every letter that is meant, or until ``most`` can be sent.

    Raises:
        TransportError: Kafka does not answer.
    """
    from worker.cli.progress import Meter
    from worker.stream.tools import replays
    from worker.stream.tools.limits import limits_of
    from worker.stream.tools.replay import Routes

    waiting = Waiting()
    found = Survey(Routes(box.topics, lambda topic: limits_of(settings, topic, waiting)))
    with Meter(shown=True, noun="letters looked at") as meter:
        for letter in box.letters(wanted, meter.update):
            if replays.of(box.marks, letter):
                found.already += 1
            elif reason := found.routes.why_not(letter, int(time.time() * 1_000)):
                found.refused[reason] += 1
            elif letter.source is not None:
                found.to[letter.source[0]] += 1
                found.errors[letter.text("error")] += 1
            if found.letters == most:
                break
    return found
