"""Settings that follow from what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from worker.cli.tuning.measure import Cell

NEAR = 1.03
"""Within this of the best, a smaller batch is as good, and answers earlier."""
WORTH_A_THREAD = 0.75
"""A second thread has to bring at least this part of what a second replica would."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What to set.

    Attributes:
        cell: the measurement that it follows from; None where the target cannot be met.
        reason: why this one.
    """

    cell: Cell | None
    reason: str

    def settings(self) -> dict[str, int]:
        """As variables."""
        if self.cell is None:
            return {}
        named = {"RTML_MAX_BATCH_EVENTS": self.cell.batch}
        return named | ({"RTML_MODEL_THREADS": self.cell.threads} if self.cell.threads > 1 else {})


def propose(cells: Sequence[Cell], p99_ms: float | None) -> Proposal:
    """The settings for a target, or for throughput.

    Args:
        cells: what was measured.
        p99_ms: what 99 of 100 batches may take to score; None is for throughput.
    """
    fit = [cell for cell in cells if p99_ms is None or cell.p99_ms <= p99_ms]
    if not fit:
        least = min(cells, key=lambda cell: cell.p99_ms)
        reason = (
            f"even {least.batch:,} at a time takes {least.p99_ms:.3f} ms (p99): a smaller model, "
            "fewer nodes, or a faster machine"
        )
        return Proposal(None, reason)
    alone = [cell for cell in fit if cell.threads == 1]
    best = _smallest_near_best(alone or fit)
    for threads in sorted({cell.threads for cell in fit} - {best.threads}):
        other = _smallest_near_best([cell for cell in fit if cell.threads == threads])
        gain = best.us_per_event / other.us_per_event
        if gain > WORTH_A_THREAD * threads / best.threads:
            best = other
    if p99_ms is None:
        return Proposal(best, "the smallest batch within 3 % of the lowest cost per event")
    return Proposal(best, f"the lowest cost per event of batches scored within {p99_ms:g} ms (p99)")


def _smallest_near_best(cells: Sequence[Cell]) -> Cell:
    least = min(cell.us_per_event for cell in cells)
    near = [cell for cell in cells if cell.us_per_event <= least * NEAR]
    return min(near, key=lambda cell: cell.batch)
