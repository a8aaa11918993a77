"""Exactly once: what readers of committed records see while workers are killed, stopped, replaced.

``RTML_KILL_EVENTS`` and ``RTML_KILLS`` make the kill loop longer.
"""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from tests.kafka.amid import amid_transactions, batched, owned
from tests.kafka.client import committed
from tests.kafka.feeder import Feeder
from tests.kafka.metrics import total
from tests.kafka.reading import Reader, aborted
from tests.kafka.service import Service, make_service
from tests.kafka.verdict import Verdict, events, judge
from tests.kafka.waiting import until
from tests.kafka.worker import Worker

N, KILLS = int(os.environ.get("RTML_KILL_EVENTS", "10000")), int(os.environ.get("RTML_KILLS", "4"))
PER_S = 1_000
KILL_PER_S, SLOW_PER_S = 400, 250
"""Slow enough that there are events before and after a fault."""
PARTITIONS = 4
SEED = 6
SESSION_S = 6.0
SETTINGS = {
    "RTML_SESSION_TIMEOUT_MS": "6000",
    # Each batch is full, so that transactions last: a kill finds records of those that are open.
    "RTML_MAX_BATCH_EVENTS": "1",
    "RTML_COMMIT_INTERVAL_MS": "500",
}


def service_of(kafka: str, folder: Path) -> Service:
    """A service that promises exactly once."""
    return make_service(kafka, folder, partitions=PARTITIONS, guarantee="exactly_once")


def done(service: Service) -> int:
    """How many events are committed."""
    return sum(committed(service.bootstrap, service.group, service.source).values())


def counted(worker: Worker, outcome: str) -> float:
    """Transactions of a worker that ended so."""
    return total(worker.get("/metrics")[1], "rtml_transactions_total", outcome=outcome)


def troubles(worker: Worker) -> list[dict[str, Any]]:
    """What a worker logged of transactions that failed; Kafka does not always say fenced."""
    return worker.log_events("producer_fenced") + worker.log_events("transaction_failed")


@pytest.mark.alone
@pytest.mark.long
def test_kills_lose_nothing_and_repeat_nothing(kafka: str, tmp_path: Path) -> None:
    """Two replicas, one of them killed again and again: lost 0, twice 0, no aborted record seen."""
    service, sent, draw = service_of(kafka, tmp_path), events(N), random.Random(SEED)
    with ExitStack() as stack:
        reader = stack.enter_context(Reader(kafka, service.sink, PARTITIONS))
        replicas = [stack.enter_context(service.worker(environment=SETTINGS)) for _ in range(2)]
        for chunk in batched(sent, N // (KILLS + 1)):
            until(lambda: all(map(owned, replicas)), timeout_s=60)
            with Feeder(kafka, service.source, chunk, KILL_PER_S) as feed:
                feed.wait_sent(len(chunk) // 10)
                if chunk[-1] is sent[-1]:
                    break
                victim = draw.randrange(2)
                until(partial(amid_transactions, service, replicas[victim]))
                replicas[victim].kill()
                replicas[victim] = stack.enter_context(service.worker(environment=SETTINGS))
        service.settled(timeout_s=90)
        scored = service.scored()
        places = {(one.partition, one.offset) for one in scored}
        until(lambda: len(reader.seen) >= len(scored))
    taken_back = aborted(kafka, service.sink, scored)
    print(f"{KILLS} kills, seed {SEED}: {len(taken_back)} records aborted, {len(scored)} committed")
    assert judge(sent, scored) == Verdict(N, 0, 0, 0, 0)
    assert taken_back
    assert sorted(reader.seen) == sorted(places)


@pytest.mark.long
def test_replicas_that_come_and_go_repeat_nothing(kafka: str, tmp_path: Path) -> None:
    """Partitions that move under load, by turns: lost 0, twice 0, in order, and each stop is 0."""
    service, sent = service_of(kafka, tmp_path), events(6_000)
    exits = []
    old = service.worker()
    old.wait_ready()
    with Feeder(kafka, service.source, sent, PER_S):
        for _ in range(3):
            new = service.worker()
            with old:
                until(partial(owned, new))
                exits.append(old.terminate())
            old = new
        with old:
            service.settled()
            fenced = counted(old, "fenced")
            exits.append(old.terminate())
    assert (exits, fenced) == ([0, 0, 0, 0], 0)
    assert judge(sent, service.scored()) == Verdict(len(sent), 0, 0, 0, 0)


@pytest.mark.long
def test_a_zombie_writes_nothing(kafka: str, tmp_path: Path) -> None:
    """Stopped for longer than its session, amid transactions, it is fenced, and works again after.

    What it had begun is taken over by the other replica; nothing of it is accepted afterwards.
    """
    service, sent = service_of(kafka, tmp_path), events(6_000)
    # So that what it had begun could still be committed when it wakes up.
    settings = {**SETTINGS, "RTML_TRANSACTION_TIMEOUT_MS": "20000"}
    first, second = (service.worker(environment=settings) for _ in range(2))
    with first, second:
        until(lambda: len(owned(first)) == len(owned(second)) == PARTITIONS / 2)
        with Feeder(kafka, service.source, sent, SLOW_PER_S) as feed:
            feed.wait_sent(1_000)
            until(partial(amid_transactions, service, first))
            first.signal(signal.SIGSTOP)
            until(lambda: len(owned(second)) == PARTITIONS)
            time.sleep(SESSION_S / 2)  # what is measured is a time
            first.signal(signal.SIGCONT)
            back_s = until(lambda: len(owned(first)) == len(owned(second)) == PARTITIONS / 2)
        service.settled(timeout_s=90)
        refused = counted(first, "fenced") + counted(first, "aborted")
        exits = [first.terminate(), second.terminate()]
    print(f"{refused:.0f} transactions of the zombie refused, back after {back_s:.1f} s")
    assert judge(sent, service.scored()) == Verdict(len(sent), 0, 0, 0, 0)
    assert (exits, refused > 0) == ([0, 0], True)
    assert first.log_events("service_failed") == []


@pytest.mark.long
def test_a_fenced_worker_asks_the_group_and_goes_on(kafka: str, tmp_path: Path) -> None:
    """Where another producer takes a partition's name, that partition alone is given up.

    The group says that it is the worker's still: it is scored again, and nothing is lost or twice.
    """
    service, sent = service_of(kafka, tmp_path), events(4_000)
    name = f"{service.group}/{service.source}/0"
    with service.worker() as worker:
        worker.wait_ready()
        with Feeder(kafka, service.source, sent, PER_S) as feed:
            feed.wait_sent(1_000)
            Producer({"bootstrap.servers": kafka, "transactional.id": name}).init_transactions(30)
            until(lambda: troubles(worker))
        service.settled()
        assert worker.terminate() == 0
    assert {one["partition"] for one in troubles(worker)} == {0}
    assert judge(sent, service.scored()) == Verdict(len(sent), 0, 0, 0, 0)


@pytest.mark.alone
@pytest.mark.long
def test_sigterm_drains(kafka: str, tmp_path: Path) -> None:
    """SIGTERM under load: exit 0, no transaction is left open, the next worker repeats nothing."""
    service, sent = service_of(kafka, tmp_path), events(5_000)
    with service.worker() as worker:
        worker.wait_ready()
        with Feeder(kafka, service.source, sent, per_s=2_500):
            until(lambda: done(service) >= 1_000)
            assert worker.terminate() == 0
    at_the_stop = len(service.scored())
    events_done = done(service)
    with service.worker() as worker:
        worker.wait_ready()  # there may be nothing left to do, and a start has no handler yet
        service.settled()
        assert worker.terminate() == 0
    assert at_the_stop == events_done
    scored = service.scored()
    assert judge(sent, scored) == Verdict(len(sent), 0, 0, 0, 0)
    assert aborted(kafka, service.sink, scored) == set()
