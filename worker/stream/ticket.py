"""A batch between the pump and the acknowledgement."""

from __future__ import annotations

from dataclasses import dataclass

from worker.codec.outcome import Outcomes
from worker.stream.intake import Taken
from worker.stream.outbox import Future


@dataclass(slots=True)
class Ticket:
    """One batch on its way: what it took of each lane, and what must be acknowledged."""

    epoch: int
    taken: list[Taken]
    outcomes: Outcomes
    timestamps_ms: list[int]
    futures: list[Future]
    sent_s: float
