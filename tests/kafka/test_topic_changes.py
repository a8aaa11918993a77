"""Topics that change while they are read: partitions added, the source deleted and made again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewPartitions

from tests.kafka.client import create_topic, produce
from tests.kafka.service import Service, make_service
from tests.kafka.verdict import Verdict, events, judge
from tests.kafka.waiting import until
from tests.kafka.worker import Worker

pytestmark = pytest.mark.long

N = 200


def assigned(worker: Worker) -> int:
    """How many partitions the group gave the worker last."""
    found = worker.log_events("partitions_assigned")
    return len(found[-1]["start_offsets"]) if found else 0


def add_partitions(service: Service, count: int) -> None:
    """Makes the source topic have so many."""
    admin = AdminClient({"bootstrap.servers": service.bootstrap})
    (done,) = admin.create_partitions([NewPartitions(service.source, count)]).values()
    done.result(30)


def test_added_partitions_are_read_from_their_beginning(kafka: str, tmp_path: Path) -> None:
    """Also with start: latest, which is for a new group: what came before we knew is not lost."""
    service = make_service(kafka, tmp_path, partitions=1, source={"start": "latest"})
    sent = events(2 * N)
    with service.worker() as worker:
        worker.wait_ready()
        produce(kafka, service.source, sent[:N])
        service.settled()
        add_partitions(service, 4)
        produce(kafka, service.source, sent[N:])
        until(lambda: assigned(worker) == 4)
        service.settled()
        assert worker.terminate() == 0
    verdict = judge(sent, service.scored())
    assert (verdict.lost, verdict.duplicated, verdict.altered) == (0, 0, 0)


def test_a_source_that_is_deleted_is_told(kafka: str, tmp_path: Path) -> None:
    """Readiness and an ERROR say that it is gone; made again, it is read from its beginning."""
    service = make_service(kafka, tmp_path, partitions=2)
    admin = AdminClient({"bootstrap.servers": kafka})
    with service.worker() as worker:
        worker.wait_ready()
        produce(kafka, service.source, events(N))
        service.settled()
        admin.delete_topics([service.source])[service.source].result(30)
        until(lambda: worker.log_events("source_missing"), timeout_s=40)
        status, told = worker.get("/health/ready")
        assert status == 503
        assert f"topic '{service.source}' does not exist any more" in " ".join(
            json.loads(told)["reasons"]
        )
        create_topic(kafka, service.source, 2)
        again = events(N, start=N)
        produce(kafka, service.source, again)
        until(lambda: len(service.scored()) >= 2 * N, timeout_s=60)
        worker.wait_ready()
    assert judge([*events(N), *again], service.scored()) == Verdict(2 * N, 0, 0, 0, 0)
