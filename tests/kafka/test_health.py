"""Whether a worker is alive and ready, and why not."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from confluent_kafka import Consumer

from tests.kafka.service import make_service
from tests.kafka.waiting import until
from tests.kafka.worker import Worker


def test_health(kafka: str, tmp_path: Path) -> None:
    """A worker that serves is alive and ready; what it does not have is 404."""
    with make_service(kafka, tmp_path).worker() as worker:
        worker.wait_ready()
        status, body = worker.get("/health/ready")
        assert (status, json.loads(body)) == (200, {"ready": True, "reasons": []})
        assert worker.get("/health/live")[0] == 200
        assert worker.get("/nothing")[0] == 404


def shares(worker: Worker) -> list[dict[str, int]]:
    """What the group gave the worker, each time: partition -> offset to begin at."""
    return [one["start_offsets"] for one in worker.log_events("partitions_assigned")]


def test_a_replica_without_a_partition_is_ready(kafka: str, tmp_path: Path) -> None:
    """Of two replicas for one partition both are ready, and one of them has nothing to do."""
    service = make_service(kafka, tmp_path, partitions=1)
    with service.worker() as first, service.worker() as second:
        first.wait_ready()
        second.wait_ready()
        until(lambda: {} in shares(first) + shares(second))
        # While the group shares anew, neither has a share.
        until(lambda: [one.get("/health/ready")[0] for one in (first, second)] == [200, 200])
        assert {} in (shares(first)[-1], shares(second)[-1])


def test_a_worker_that_has_not_joined_is_not_ready(kafka: str, tmp_path: Path) -> None:
    """While another member holds up the group, readiness says so; alive it is all the same."""
    service = make_service(kafka, tmp_path)
    settings = {
        "bootstrap.servers": kafka,
        "group.id": service.group,
        "partition.assignment.strategy": "roundrobin",
    }
    other = Consumer(settings)
    assigned: list[int] = []
    other.subscribe([service.source], on_assign=lambda _, given: assigned.append(len(given)))
    until(lambda: other.poll(0.1) or assigned)
    with service.worker() as worker:
        # From here on the other member is not polled, and so does not join again.
        until(lambda: "has not joined group" in reasons(worker))
        assert worker.get("/health/ready")[0] == 503
        assert service.group in reasons(worker)
        assert worker.get("/health/live")[0] == 200
        other.close()
        worker.wait_ready()


def reasons(worker: Worker) -> str:
    """Why the worker is not ready."""
    try:
        return " ".join(json.loads(worker.get("/health/ready")[1])["reasons"])
    except OSError:
        return ""


def test_a_port_that_is_taken_is_refused(kafka: str, tmp_path: Path) -> None:
    """A port that was asked for and is taken: exit 2 with the place and the way out."""
    service = make_service(kafka, tmp_path, create=False)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with service.worker("--http-port", str(port)) as worker:
            assert worker.wait() == 2
    assert f"127.0.0.1:{port}" in worker.log.read_text()
    assert "RTML_HTTP_PORT" in worker.log.read_text()
