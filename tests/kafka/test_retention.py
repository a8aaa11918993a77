"""Events that Kafka forgot before they were read."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from tests.kafka.client import produce
from tests.kafka.metrics import total
from tests.kafka.service import Service, make_service
from tests.kafka.verdict import Verdict, events, judge
from tests.kafka.worker import Worker

pytestmark = pytest.mark.long

PATIENCE_S = 30.0
READ, GONE, END = 100, 250, 300
FETCH_WAIT_S = 0.05


def forget(service: Service) -> None:
    """Make Kafka forget everything before `GONE`, as its retention does."""
    admin = AdminClient({"bootstrap.servers": service.bootstrap})
    for done in admin.delete_records([TopicPartition(service.source, 0, GONE)]).values():
        done.result(PATIENCE_S)


def check(service: Service, worker: Worker) -> None:
    """The loss is an ERROR with its numbers, and counted; everything else is scored."""
    service.settled()
    (told,) = worker.log_events("offsets_lost")
    assert (told["level"], told["partition"]) == ("error", 0)
    assert (told["wanted"], told["first"], told["lost_events"]) == (READ, GONE, GONE - READ)
    assert total(worker.get("/metrics")[1], "rtml_events_lost_total") == GONE - READ
    assert worker.terminate() == 0
    left = [*events(READ), *events(END - GONE, start=GONE)]
    assert judge(left, service.scored()) == Verdict(len(left), 0, 0, 0, 0)


def test_gone_while_the_worker_was_away(kafka: str, tmp_path: Path) -> None:
    """A worker that starts behind the beginning of the log says what is lost and goes on."""
    service = make_service(kafka, tmp_path, partitions=1)
    produce(kafka, service.source, events(READ))
    with service.worker() as worker:
        service.settled()
        assert worker.terminate() == 0
    produce(kafka, service.source, events(END - READ, start=READ))
    forget(service)
    with service.worker() as worker:
        check(service, worker)


def test_gone_while_the_worker_stood_still(kafka: str, tmp_path: Path) -> None:
    """A worker that was stopped for a while finds its place gone, says so and goes on."""
    service = make_service(kafka, tmp_path, partitions=1)
    settings = {"RTML_FETCH_MAX_WAIT_MS": str(int(FETCH_WAIT_S * 1_000))}
    produce(kafka, service.source, events(READ))
    with service.worker(environment=settings) as worker:
        service.settled()
        worker.signal(signal.SIGSTOP)
        # A fetch that Kafka holds open would still be answered with what comes now.
        time.sleep(4 * FETCH_WAIT_S)
        produce(kafka, service.source, events(END - READ, start=READ))
        forget(service)
        worker.signal(signal.SIGCONT)
        check(service, worker)
