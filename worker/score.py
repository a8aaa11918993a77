"""``score(plan, values)``: bytes in, outcomes out. Pure: stream, HTTP, files and tests share it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from worker.codec.gaps import with_gaps, without
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
    drops = [*decoded.drops, *done.drops.values()]
    faults: dict[int, Fault] = {fault.row: fault for fault in decoded.faults}
    faults.update(done.faults)
    gaps = sorted(faults.keys() | {drop.row for drop in drops})
    # A tombstone is a gap.
    originals: list[bytes] = without(values, gaps)  # type: ignore[arg-type]
    encoded, unfit = plan.encoder.encode(batch, originals, decoded.carries)
    faults.update((fault.row, fault) for fault in unfit)
    chosen = batch[TOPIC_COLUMN].to_list() if len(plan.topics) > 1 else None
    scored = with_gaps(encoded, gaps)
    topics = None if chosen is None else with_gaps(chosen, gaps)
    for fault in unfit:
        scored[fault.row] = None
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
