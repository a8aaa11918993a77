"""The moment for a fault: what a worker owns, and whether something of it is not committed yet."""

from __future__ import annotations

from collections.abc import Sequence

from tests.kafka.client import Record, end_offsets
from tests.kafka.service import Service
from tests.kafka.worker import Worker


def owned(worker: Worker) -> set[str]:
    """The partitions that a worker writes for by now; none while it does not listen yet.

    A failure where it has ended, so that nobody waits for it.
    """
    try:
        page = worker.get("/metrics")[1]
    except OSError:
        code = worker.process.poll()
        assert code is None, f"the worker ended with {code}; see {worker.log.name}"
        return set()
    lines = [one for one in page.splitlines() if one.startswith("rtml_frontier_offset{")]
    return {one.partition('partition="')[2].partition('"')[0] for one in lines}


def batched(sent: Sequence[Record], size: int) -> list[Sequence[Record]]:
    """Consecutive parts, the last one with what is left over."""
    starts = range(0, len(sent) - size + 1, size)
    return [sent[start : None if start == starts[-1] else start + size] for start in starts]


def open_places(service: Service, partitions: set[str]) -> set[tuple[int, int]]:
    """Partition and offset of the sink's records whose transaction is open."""
    ends = end_offsets(service.bootstrap, service.sink, "read_uncommitted")
    stable = end_offsets(service.bootstrap, service.sink)
    numbers = map(int, partitions)
    return {(number, at) for number in numbers for at in range(stable[number], ends[number])}


def amid_transactions(service: Service, worker: Worker) -> bool:
    """Whether every partition that a worker writes for has a transaction that is open."""
    mine = owned(worker)
    return {str(number) for number, _ in open_places(service, mine)} == mine
