"""Runs a plan on a batch. Nodes neither count nor log; this does for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from worker.batch import Batch, Column, ColumnType, Mask
from worker.codec.outcome import Drop
from worker.errors import Fault, ModelError, ModelTimeoutError, Stage
from worker.graph.plan import Plan, Step
from worker.models.watchdog import limit_s, limited

NODE_ERROR, MODEL_FAILED, MODEL_TIMEOUT = "NodeError", "ModelFailed", "ModelTimeout"
Clock = Callable[[], float]
Observer = Callable[[Step, Batch, "Batch | None"], None]
"""Told what a node was fed and what it made, marked rows included; None where it broke."""
MAX_LATE_RUNS = 12
"""Runs that may be ended in one batch while the guilty rows are looked for: one row of 2,048 is
found, and a model that never returns costs no more than twice as many."""
SHORTER_LIMITS = 2
"""How often the limit is halved on the way: a quarter of it is enough for any part."""
_MESSAGE_LENGTH = 300  # it becomes a header, and an exception may quote the whole event


@dataclass(slots=True)
class Run:
    """What became of a batch.

    Attributes:
        batch: the rows that reached the sink, with its columns.
        faults: rejected rows by position; the first node in the plan's order that rejects wins.
        drops: dropped rows by position; a row that is rejected anywhere is not dropped.
        unknown: values that a node did not know: (node id, column) -> how many.
        seconds: time spent per node id, if a clock was given.
        late: model runs that took too long and were ended.
        unsure: rows were rejected for others beside them: too many runs had to be ended.
    """

    batch: Batch
    faults: dict[int, Fault] = field(default_factory=dict)
    drops: dict[int, Drop] = field(default_factory=dict)
    unknown: dict[tuple[str, str], int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    late: int = 0
    unsure: bool = False


def run(
    plan: Plan, batch: Batch, clock: Clock | None = None, observer: Observer | None = None
) -> Run:
    """The batch through every node.

    A row that one branch drops is still seen by the other branches, so that a rejection there
    wins whatever the order of the branches.
    """
    done = Run(batch)
    batches: dict[str, Batch] = {}
    for step in plan.steps:
        start = clock() if clock is not None else 0.0
        fed = _joined([batches[name] for name in step.before] or [batch])
        batches[step.id] = run_step(step, fed, done, observer)
        if clock is not None:
            done.seconds[step.id] = clock() - start
    done.batch = _joined([batches[name] for name in plan.ends])
    done.drops = {row: drop for row, drop in done.drops.items() if row not in done.faults}
    return done


def _joined(batches: list[Batch]) -> Batch:
    """The rows that are live in every branch, with all columns."""
    first, *others = batches
    if not others:
        return first
    rows = first.rows
    for other in others:
        if not np.array_equal(rows, other.rows):
            rows = np.intersect1d(rows, other.rows, assume_unique=True)
    columns: dict[str, Column] = {}
    for branch in batches:
        whole = len(branch) == len(rows)
        live = branch if whole else branch.take(np.isin(branch.rows, rows, assume_unique=True))
        columns = {**live.columns, **columns}
    return Batch(columns, rows)


def run_step(step: Step, batch: Batch, done: Run, observer: Observer | None = None) -> Batch:
    """One node on one batch, decisions noted in ``done``.

    Where the node breaks, its halves are run, down to the guilty rows.
    """
    if len(batch) == 0:
        return _empty(step.types, batch)
    try:
        made = step.node.process(batch)
        if made.rows is not batch.rows and not np.array_equal(made.rows, batch.rows):
            raise ValueError("the node lost or moved rows; nodes mark rows, and take none out")
    except Exception as error:  # noqa: BLE001 - whatever a node raises costs its guilty rows only
        if observer is not None:
            observer(step, batch, None)
        done.late += isinstance(error, ModelTimeoutError)
        if len(batch) == 1 or done.late > MAX_LATE_RUNS:
            done.unsure |= len(batch) > 1
            return _rejected(step, batch, error, done)
        if isinstance(error, ModelTimeoutError):
            with limited(_share_of_limit(done.late)):
                return _halved(step, batch, done, observer)
        return _halved(step, batch, done, observer)
    if observer is not None:
        observer(step, batch, made)
    return _compact(step, made, done, whole=observer is not None)


def _share_of_limit(late: int) -> float | None:
    """Half a batch takes half as long, so that looking for the guilty rows need not be slow."""
    whole = limit_s.get()
    return whole / 2 if whole is not None and late <= SHORTER_LIMITS else whole


def _halved(step: Step, batch: Batch, done: Run, observer: Observer | None) -> Batch:
    middle = len(batch) // 2
    index = np.arange(len(batch))
    parts = (batch.take(index[:middle]), batch.take(index[middle:]))
    return _concatenated(step, [run_step(step, part, done, observer) for part in parts])


def _rejected(step: Step, batch: Batch, error: Exception, done: Run) -> Batch:
    """No row is left: each is a fault that tells what the node raised."""
    stage, name = Stage.NODE, NODE_ERROR
    if isinstance(error, ModelError):
        late = isinstance(error, ModelTimeoutError)
        stage, name = Stage.SCORE, MODEL_TIMEOUT if late else MODEL_FAILED
    message = f"{type(error).__name__}: {error}"[:_MESSAGE_LENGTH]
    for row in batch.rows.tolist():
        done.faults.setdefault(row, Fault(row, stage, name, message, step.id))
    return _empty(step.types, batch)


def _compact(step: Step, batch: Batch, done: Run, *, whole: bool) -> Batch:
    """Takes the marked rows out and notes what became of them; Rejected beats Dropped.

    Columns that nobody reads any more are not taken along, unless somebody looks on.
    """
    for column, n in batch.unknown.items():
        done.unknown[step.id, column] = done.unknown.get((step.id, column), 0) + n
    if not batch.marks:
        return Batch(batch.columns, batch.rows) if batch.unknown else batch
    live: Mask = np.ones(len(batch), dtype=np.bool_)
    for mark in batch.marks:
        live &= ~mark.rows
        for i, row in enumerate(batch.rows[mark.rows].tolist()):
            if mark.stage is None:
                done.drops.setdefault(row, Drop(row, mark.reason, step.id))
            else:
                fault = Fault(row, mark.stage, mark.reason, mark.message(i), step.id)
                done.faults.setdefault(row, fault)
    if step.needed is not None and not whole:
        batch = batch.without(batch.columns.keys() - step.needed)
    return batch.take(live)


def _concatenated(step: Step, halves: list[Batch]) -> Batch:
    halves = [half for half in halves if len(half)] or halves[:1]
    rows = np.concatenate([half.rows for half in halves])
    columns = {}
    for name in halves[0].columns:
        idle = step.needed is not None and name not in step.needed
        if idle and not all(name in half.columns for half in halves):
            continue  # one half has taken rows out, and what nobody reads with them
        parts = [half[name] for half in halves]
        valid = None
        if any(part.valid is not None for part in parts):
            valid = np.concatenate([~part.missing for part in parts])
        columns[name] = Column(np.concatenate([part.values for part in parts]), valid)
    return Batch(columns, rows)


def _empty(types: Mapping[str, ColumnType], batch: Batch) -> Batch:
    """No rows, but the columns that later nodes expect."""
    none = np.zeros(0, dtype=np.int64)
    columns = {}
    for name, kind in types.items():
        if name in batch.columns:
            continue
        shape = (0,) if kind.length is None else (0, kind.length)
        columns[name] = Column(np.empty(shape, dtype=kind.numpy))
    gone = [name for name in batch.columns if name not in types]
    return batch.take(none).without(gone).with_columns(columns)
