"""What a call of the benchmark was told."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


class Sizes(NamedTuple):
    """How much of everything, where nothing is said."""

    events: int
    rounds: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Options:
    """What all parts of the benchmark are given.

    Attributes:
        folder: for files that go away with the call.
        say: is told what goes on.
        brokers: of the Kafka to use; one is started if None.
        quick: a fraction of everything.
        only: names of contenders; all if empty.
    """

    folder: Path
    say: Callable[[str], None]
    brokers: str | None
    quick: bool
    only: Sequence[str]
    events: int | None
    rounds: int | None
    seconds: int | None

    def sizes(self, full: Sizes, quick: Sizes) -> Sizes:
        """What was said, else what the part has."""
        usual = quick if self.quick else full
        given = (self.events, self.rounds, self.seconds)
        return Sizes(*(one or default for one, default in zip(given, usual, strict=True)))


def between(low: int, high: int) -> Callable[[str], int]:
    """Reads a number within bounds."""

    def read(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"must be a number from {low} to {high}")
        return int(text)

    return read
