"""SIGKILL in mid-stream: nothing is lost, and what is repeated was not committed."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from pathlib import Path

import pytest

from tests.kafka.client import committed, end_offsets
from tests.kafka.feeder import Feeder
from tests.kafka.service import Service, make_service
from tests.kafka.verdict import events, judge
from tests.kafka.waiting import until

N, PER_S = 20_000, 1_000  # so slow that the load outlasts three starts of a worker
KILL_AT = [1_500, 6_000, 11_000]
BATCH, IN_FLIGHT_BATCHES = 100, 6
SETTINGS = {
    # A member that is known by name takes its partitions back at once after a crash.
    "RTML_GROUP_INSTANCE_ID": "one",
    "RTML_MAX_BATCH_EVENTS": str(BATCH),
    # Longer than usual, so that a kill finds something that is not committed.
    "RTML_COMMIT_INTERVAL_MS": "300",
}


def finished(service: Service) -> tuple[int, int]:
    """How many scored records there are, and how many events are committed."""
    done = committed(service.bootstrap, service.group, service.source)
    return sum(end_offsets(service.bootstrap, service.sink).values()), sum(done.values())


def between(service: Service, events: int) -> bool:
    """Whether so many events are committed, and others are scored that are not."""
    written, done = finished(service)
    return written > done >= events


@pytest.mark.alone
def test_nothing_is_lost_by_kills(kafka: str, tmp_path: Path) -> None:
    """Killed three times under load: lost 0, repeated only what was not committed, byte by byte."""
    service = make_service(kafka, tmp_path)
    sent = events(N)
    uncommitted = 0
    with Feeder(kafka, service.source, sent, PER_S):
        for number in KILL_AT:
            with service.worker(environment=SETTINGS) as worker:
                until(partial(between, service, number))
                worker.kill()
            written, done = finished(service)
            assert done < N
            uncommitted = written - done
    with service.worker(environment=SETTINGS):
        service.settled()
    scored = service.scored()
    verdict = judge(sent, scored)
    copies = defaultdict(set)
    for one in scored:
        copies[one.key, one.timestamp_ms].add((one.value, tuple(one.headers)))
    print(f"{len(KILL_AT)} kills, {uncommitted} records were written, but not committed")
    assert uncommitted > 0  # else nothing was hit
    assert (verdict.lost, verdict.reordered, verdict.altered) == (0, 0, 0)
    assert verdict.duplicated <= uncommitted + IN_FLIGHT_BATCHES * BATCH
    assert {len(found) for found in copies.values()} == {1}
