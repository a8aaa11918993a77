"""Several workers in one group: sharing, taking over, draining."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import psutil
import pytest
from confluent_kafka.admin import AdminClient

from tests.kafka.client import end_offsets
from tests.kafka.feeder import Feeder
from tests.kafka.metrics import samples, total
from tests.kafka.service import Service, make_service
from tests.kafka.verdict import Verdict, events, judge
from tests.kafka.waiting import until
from tests.kafka.worker import Worker

PARTITIONS = 4
BATCH, IN_FLIGHT_BATCHES = 100, 6
SETTINGS = {
    "RTML_MAX_BATCH_EVENTS": str(BATCH),
    # The least that Kafka allows by default: so long a dead member keeps its partitions.
    "RTML_SESSION_TIMEOUT_MS": "6000",
}


def partitions(worker: Worker) -> int:
    """How many partitions a worker reports as its own; 0 while it does not listen yet."""
    try:
        page = worker.get("/metrics")[1]
    except OSError:
        return 0
    return len(samples(page, "rtml_frontier_offset"))


def written(service: Service) -> int:
    """How many scored records there are."""
    return sum(end_offsets(service.bootstrap, service.sink).values())


def members(service: Service) -> dict[str, int]:
    """The names of the group's static members that have partitions, and how many."""
    admin = AdminClient({"bootstrap.servers": service.bootstrap})
    group = admin.describe_consumer_groups([service.group])[service.group].result()
    shares = {one.group_instance_id: len(one.assignment.topic_partitions) for one in group.members}
    return {name: n for name, n in shares.items() if n}


def test_one_replica_takes_over_from_another(kafka: str, tmp_path: Path) -> None:
    """Two replicas have half of the partitions each; when one is killed, the other does it all."""
    service = make_service(kafka, tmp_path, partitions=PARTITIONS)
    sent = events(4_000)
    first, second = (service.worker(environment=SETTINGS) for _ in range(2))
    with first, second:
        until(lambda: partitions(first) == partitions(second) == PARTITIONS / 2)
        with Feeder(kafka, service.source, sent, per_s=1_000):
            until(lambda: written(service) >= 1_000)
            shares = [
                total(worker.get("/metrics")[1], "rtml_events_scored_total")
                for worker in (first, second)
            ]
            first.kill()
            took_s = until(lambda: partitions(second) == PARTITIONS)
            service.settled()
    verdict = judge(sent, service.scored())
    print(f"shares at the kill {shares}, taken over after {took_s:.1f} s")
    assert min(shares) > 0
    assert (verdict.lost, verdict.reordered, verdict.altered) == (0, 0, 0)
    assert verdict.duplicated <= IN_FLIGHT_BATCHES * BATCH


def test_sigterm_drains(kafka: str, tmp_path: Path) -> None:
    """SIGTERM under load: exit 0, and the next worker repeats nothing and misses nothing."""
    service = make_service(kafka, tmp_path)
    sent = events(5_000)
    with service.worker() as worker:
        worker.wait_ready()
        with Feeder(kafka, service.source, sent, per_s=2_500):
            until(lambda: written(service) >= 1_000)
            assert worker.terminate() == 0
    (stopped,) = worker.log_events("worker_stopped")
    with service.worker() as worker:
        service.settled()
        assert worker.terminate() == 0
    print(f"drained in {stopped['drain_s']} s")
    assert judge(sent, service.scored()) == Verdict(len(sent), 0, 0, 0, 0)


@pytest.mark.long
def test_a_rolling_restart_repeats_nothing(kafka: str, tmp_path: Path) -> None:
    """Replicas that join and leave by turns under load: none lost, none twice, order kept."""
    service = make_service(kafka, tmp_path)
    sent = events(6_000)
    exits = []
    old = service.worker()
    old.wait_ready()
    with Feeder(kafka, service.source, sent, per_s=1_000):
        for _ in range(3):
            new = service.worker()
            with old:
                until(partial(partitions, new))
                exits.append(old.terminate())
            old = new
        with old:
            service.settled()
            exits.append(old.terminate())
    assert exits == [0, 0, 0, 0]
    assert judge(sent, service.scored()) == Verdict(len(sent), 0, 0, 0, 0)


@pytest.mark.long
def test_replicas_of_one_command(kafka: str, tmp_path: Path) -> None:
    """``--replicas 2``: each has its port, its name in the group and half of the partitions."""
    service = make_service(kafka, tmp_path, partitions=PARTITIONS)
    sent = events(2_000)
    named = {**SETTINGS, "RTML_GROUP_INSTANCE_ID": "one"}
    with service.worker("--replicas", "2", environment=named) as worker:
        worker.wait_ready()
        until(lambda: len(worker.log_events("http_listening")) == 2)
        with Feeder(kafka, service.source, sent, per_s=2_000):
            until(lambda: written(service) >= 500)
            until(lambda: len(members(service)) == 2)
            found = members(service)
        service.settled()
        ports = sorted(one["port"] for one in worker.log_events("http_listening"))
        assert worker.terminate() == 0
    scored = [one["scored"] for one in worker.log_events("worker_stopped")]
    print(f"shares {scored}")
    assert ports == [worker.http_port, worker.http_port + 1]
    assert found == {"one-0": PARTITIONS / 2, "one-1": PARTITIONS / 2}
    assert sum(scored) == len(sent)
    assert judge(sent, service.scored()) == Verdict(len(sent), 0, 0, 0, 0)


@pytest.mark.long
def test_replicas_do_not_outlive_their_command(kafka: str, tmp_path: Path) -> None:
    """Killed with SIGKILL, it leaves nobody behind: its replicas drain and leave the group."""
    service = make_service(kafka, tmp_path, partitions=2)
    with service.worker("--replicas", "2") as worker:
        worker.wait_ready()
        until(lambda: len(worker.log_events("http_listening")) == 2)
        replicas = psutil.Process(worker.process.pid).children()
        worker.kill()
        _, alive = psutil.wait_procs(replicas, timeout=20)
        for process in alive:
            process.kill()
    assert (len(replicas), alive) == (2, [])
    assert len(worker.log_events("worker_stopped")) == 2
