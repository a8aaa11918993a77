"""``score(plan, values)``: bytes in, outcomes out. Pure: stream, HTTP, files and tests share it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from worker.batch import Rows
from worker.codec.outcome import Outcomes
from worker.errors import Fault
from worker.graph.plan import Plan
from worker.graph.run import Clock, Observer, run
from worker.nodes.base import TOPIC_COLUMN


@dataclass(slots=True)
class Timing:
    """Seconds spent on one batch: decoding, each node by its id, encoding."""

    decode: float = 0.0
    nodes: dict[str, float] = field(default_factory=dict)
    encode: float = 0.0


def score(
    plan: Plan,
    values: Sequence[bytes | None],
    clock: Clock | None = None,
    timing: Timing | None = None,
    observer: Observer | None = None,
) -> Outcomes:
    """The outcome of every value: as many as values, in their order.

    Args:
        plan: a valid graph.
        values: event values as they were read; None is a tombstone.
        clock: with ``timing``, a monotonic clock in seconds.
        timing: receives the time spent.
        observer: told what each node was fed and made.

    Returns:
        Exactly one of Scored, Dropped or Rejected per value; no event changes another's.
    """
    start = clock() if clock else 0.0
    decoded = plan.decoder.decode(values)
    read = clock() if clock else 0.0
    done = run(plan, decoded.batch, clock, observer)
    ran = clock() if clock else 0.0
    batch = done.batch
    encoded, unfit = plan.encoder.encode(batch, values, decoded.carries)
    faults: dict[int, Fault] = {fault.row: fault for fault in decoded.faults}
    faults.update(done.faults)
    faults.update((fault.row, fault) for fault in unfit)
    chosen = batch[TOPIC_COLUMN].to_list() if len(plan.topics) > 1 else None
    scored, topics = list[bytes | None](encoded), chosen
    if len(batch) < len(values):
        scored = _placed(encoded, batch.rows, len(values))
        topics = None if chosen is None else _placed(chosen, batch.rows, len(values))
    for fault in unfit:
        scored[fault.row] = None
    drops = [*decoded.drops, *done.drops.values()]
    if timing is not None and clock is not None:
        timing.decode, timing.nodes, timing.encode = read - start, done.seconds, clock() - ran
    return Outcomes(
        scored,
        [faults[row] for row in sorted(faults)],
        sorted(drops, key=lambda drop: drop.row),
        topics,
        done.unknown,
        done.unsure,
    )


def _placed(found: Sequence[Any], rows: Rows, n: int) -> list[Any]:
    """``n`` entries: what was found of the rows at their places, None elsewhere."""
    placed = np.full(n, None, dtype=object)
    placed[rows] = found
    return placed.tolist()
