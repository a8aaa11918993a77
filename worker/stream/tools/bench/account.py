"""What became of the events that one process was given: each has one outcome, or it is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count

import numpy as np

from worker.errors import RtmlError
from worker.stream.tools.events import Event
from worker.stream.tools.ledger import Ledger
from worker.stream.tools.read import Stored


class Incomplete(RtmlError):
    """Events are missing, or came out more than once."""


def numbered(values: Iterable[bytes], first: int = 0) -> Iterator[Event]:
    """Events whose keys are their numbers, from ``first`` on: outcomes keep the key."""
    return ((value, b"%d" % number) for value, number in zip(values, count(first), strict=False))


def number_of(record: Stored) -> int:
    """Of the event whose outcome this is."""
    return int(record.key or b"")


class Account:
    """Counts of one process.

    Attributes:
        ledger: how many events went in, and what became of them.
    """

    def __init__(self, dead_letter_topic: str, n: int) -> None:
        """``n`` is more than the highest number of an event."""
        self.ledger = Ledger(dead_letter_topic)
        self._times = np.zeros(n, np.int64)

    def note(self, records: Sequence[Stored]) -> None:
        """Counts outcomes that were read."""
        self.ledger.note(records)
        numbers = np.array([number_of(record) for record in records], np.int64)
        np.add.at(self._times, numbers, 1)

    @property
    def repeated(self) -> int:
        """How many events came out more than once."""
        return int((self._times > 1).sum())

    @property
    def complete(self) -> bool:
        """Whether each event has one outcome."""
        return self.ledger.complete and not self.repeated

    def __str__(self) -> str:
        again = f"; {self.repeated:,} came out more than once" if self.repeated else ""
        return f"{self.ledger}{again}"
