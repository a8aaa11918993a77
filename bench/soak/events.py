"""The load: numbered visits for the graph car-insurance, each with the fate that it must have."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum

from bench import load
from bench.workloads import VISITS
from graphs import making

POISON_EVERY = 500
"""One event in so many is cut off, beside those that the graph itself rejects or drops."""
MAX_EVENTS = 100_000_000
"""The number of an event has eight digits."""


class Fate(Enum):
    """What becomes of an event."""

    SCORED = "scored"
    DROPPED = "dropped"
    DEAD = "dead letter"


@dataclass(frozen=True, slots=True)
class Visits:
    """Visits without end: some thousand of them, over and over.

    Attributes:
        texts: what follows the number of an event.
        fates: of each, by the rules of the graph.
    """

    texts: list[str]
    fates: list[Fate]

    def value(self, number: int) -> bytes:
        """The event of that number."""
        text = f'{{"_id":"t-{number:08d}",{self.texts[number % len(self.texts)]}'
        return (text[:-1] if is_poison(number) else text).encode()

    def fate(self, number: int) -> Fate:
        """What must become of it."""
        return Fate.DEAD if is_poison(number) else self.fates[number % len(self.fates)]


def is_poison(number: int) -> bool:
    """Whether the event of this number cannot be decoded."""
    return number % POISON_EVERY == POISON_EVERY - 1


def key(number: int) -> bytes:
    """One of as many keys as the other loads have."""
    return b"customer-%05d" % (number * 7_919 % load.KEYS)


def visits() -> Visits:
    """Always the same ones."""
    prepare = making.load("car-insurance", "prepare")
    events = [one for one, _ in making.load("car-insurance", "generate").visits(VISITS, load.SEED)]
    rows = prepare.frame(events).to_dict("records")
    texts = [json.dumps(event, ensure_ascii=False).partition(",")[2] for event in events]
    return Visits(texts, [_fate(prepare.fate(row)) for row in rows])


def _fate(told: dict[str, object] | None) -> Fate:
    if told is None:
        return Fate.SCORED
    return Fate.DROPPED if "dropped" in told else Fate.DEAD
