"""Scoring over HTTP by a worker that serves Kafka at the same time."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

from tests.kafka.client import Record, produce
from tests.kafka.service import make_service
from tests.kafka.worker import Worker


def score(worker: Worker, service: str, body: bytes) -> bytes:
    """The answer to events."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{worker.http_port}/services/{service}/score",
        data=body,
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        found: bytes = answer.read()
        return found


def test_http_and_the_stream_give_the_same_bytes(kafka: str, tmp_path: Path) -> None:
    """What is published for an event stands byte for byte in the answer to it.

    Requests are no events: the stream's counts stay as they are.
    """
    service = make_service(kafka, tmp_path)
    events = [b'{"f0": %d.25, "f1": %d, "seq": %d}' % (i, 7 - i, i) for i in range(50)]
    produce(kafka, service.source, [Record(event, b"k") for event in events])
    with service.worker() as worker:
        worker.wait_ready()
        service.settled()
        _, services = worker.get("/services")
        (described,) = json.loads(services)["services"]
        assert (described["id"], described["state"]) == (service.name, "serving")
        answers = score(worker, service.name, b"[" + b",".join(events) + b"]")
        assert worker.terminate() == 0
    published = [stored.value for stored in service.scored()]
    assert len(published) == len(events)
    assert answers == b"[%b]" % b",".join(
        b'{"status":"scored","event":%b}' % value for value in published if value is not None
    )
    (stopped,) = worker.log_events("worker_stopped")
    assert (stopped["received"], stopped["scored"]) == (50, 50)
