"""What a row of the suite found."""

from __future__ import annotations

from dataclasses import dataclass

from tests.kafka.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    Attributes:
        row: of the suite.
        done: what was done.
        figure: what was found, each count with that of which it is one.
        wanted: the pass line.
        passed: whether the figure keeps to it.
        seconds: how long it took.
        under: the commit, and whether it was the quick form.
    """

    row: str
    done: str
    figure: str
    wanted: str
    passed: bool
    seconds: float = 0.0
    under: str = ""


def counts(verdict: Verdict) -> str:
    """A verdict as figures have it."""
    names = ("lost", "duplicated", "reordered", "altered")
    return f"of {verdict.sent:,} events " + ", ".join(
        f"{name} {getattr(verdict, name):,}" for name in names
    )


def is_clean(verdict: Verdict, duplicates: int = 0) -> bool:
    """Whether nothing went wrong but for so many duplicates at most."""
    wrong = (verdict.lost, verdict.reordered, verdict.altered)
    return wrong == (0, 0, 0) and verdict.duplicated <= duplicates
