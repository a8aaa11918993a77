"""The page of metrics after a known load."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.kafka.client import Record, end_offsets, produce
from tests.kafka.metrics import samples, total
from tests.kafka.service import MODEL, SCHEMA, SCORE, Service, make_service
from tests.kafka.verdict import event, events
from tests.kafka.waiting import until
from tests.kafka.worker import Worker
from worker import __version__

SCORED, DROPPED, DEAD, TOMBSTONES, UNKNOWN = 500, 40, 3, 2, 7
SMALL = {
    "id": "small",
    "type": "Filter",
    "params": {"column": "f1", "op": "lt", "value": 50, "reason": "too_large"},
}
PLAN = {"id": "plan", "type": "OneHotEncoder", "params": {"columns": {"plan": ["gold"]}}}
FIELDS = {**SCHEMA["properties"], "plan": {"type": "string"}}
# Name -> labels, as the contract has them.
METRICS = {
    "rtml_events_received_total": {"service", "topic"},
    "rtml_events_scored_total": {"service", "topic"},
    "rtml_events_dropped_total": {"service", "topic", "reason"},
    "rtml_dead_letters_total": {"service", "topic", "stage", "error"},
    "rtml_unknown_values_total": {"service", "node", "column"},
    "rtml_batch_size_events_bucket": {"service", "le"},
    "rtml_stage_duration_seconds_bucket": {"service", "stage", "le"},
    "rtml_node_duration_seconds_bucket": {"service", "node", "le"},
    "rtml_event_age_seconds_bucket": {"service", "le"},
    "rtml_consumer_lag": {"service", "topic", "partition"},
    "rtml_consumer_lag_seconds": {"service", "topic", "partition"},
    "rtml_frontier_offset": {"service", "topic", "partition"},
    "rtml_in_flight_events": {"service"},
    "rtml_breaker_open": {"service"},
    "rtml_model_info": {"service", "model", "version", "sha256"},
    "rtml_model_load_seconds": {"service"},
    "rtml_build_info": {"version"},
}


@pytest.fixture(scope="module")
def served(
    kafka: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Service, Worker, str]]:
    """A worker that has done a known load, and its page of metrics."""
    schema = {"schema": {**SCHEMA, "properties": FIELDS}}
    folder = tmp_path_factory.mktemp("http")
    service = make_service(kafka, folder, source=schema, nodes=[SMALL, PLAN, SCORE])
    sent = [
        *events(SCORED - UNKNOWN - 1),
        Record(event(0)[:-1] + b', "plan": "gold"}', b"k"),
        *(Record(event(seq)[:-1] + b', "plan": "lead"}', b"k") for seq in range(UNKNOWN)),
        *(Record(event(seq)[:-1] + b', "f1": 99}', b"k") for seq in range(DROPPED)),
        *(Record(b"bad %d" % number, b"k") for number in range(DEAD)),
        *(Record(None, b"k%d" % number) for number in range(TOMBSTONES)),
    ]
    produce(kafka, service.source, sent)
    with service.worker() as worker:
        worker.wait_ready()
        service.settled()
        until(lambda: total(worker.get("/metrics")[1], "rtml_consumer_lag") == 0)
        yield service, worker, worker.get("/metrics")[1]


def test_every_metric_of_the_contract_is_there(served: tuple[Service, Worker, str]) -> None:
    """Each has its name and exactly its labels."""
    labels: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(served[2]):
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
    assert {name: labels.get(name) for name in METRICS} == METRICS


def test_the_counters_are_right(served: tuple[Service, Worker, str]) -> None:
    """Received = scored + dropped by reason + dead letters, exactly as many as were sent."""
    service, _, page = served
    own = {"service": service.name, "topic": service.source}
    everything = SCORED + DROPPED + DEAD + TOMBSTONES
    dropped, dead = "rtml_events_dropped_total", "rtml_dead_letters_total"
    assert total(page, "rtml_events_received_total", **own) == everything
    assert total(page, "rtml_events_scored_total", **own) == SCORED
    assert total(page, dropped, reason="too_large", **own) == DROPPED
    assert total(page, dropped, reason="tombstone", **own) == TOMBSTONES
    assert total(page, dead, stage="decode", error="MalformedJson", **own) == DEAD
    assert total(page, "rtml_events_lost_total", **own) == 0
    unknown = {"service": service.name, "node": "plan", "column": "plan"}
    assert samples(page, "rtml_unknown_values_total", **unknown) == [UNKNOWN]
    assert total(page, "rtml_batch_size_events_sum") == everything
    assert total(page, "rtml_event_age_seconds_count") >= SCORED


def test_the_gauges_are_right(served: tuple[Service, Worker, str]) -> None:
    """When all is done nothing is in flight, and each frontier stands at its partition's end."""
    service, _, page = served
    assert samples(page, "rtml_in_flight_events", service=service.name) == [0]
    ends = end_offsets(service.bootstrap, service.source)
    for partition, end in ends.items():
        own = {"topic": service.source, "partition": str(partition)}
        assert samples(page, "rtml_frontier_offset", **own) == [end]
        assert samples(page, "rtml_consumer_lag", **own) == [0]
        assert samples(page, "rtml_consumer_lag_seconds", **own) == [0]
    sha256 = hashlib.sha256(MODEL.read_bytes()).hexdigest()
    assert samples(page, "rtml_model_info", model="lr.onnx", version="", sha256=sha256) == [1]
    assert samples(page, "rtml_build_info", version=__version__) == [1]
    assert 0 < total(page, "rtml_model_load_seconds", service=service.name) < 60


def test_the_age_is_that_of_the_event(served: tuple[Service, Worker, str]) -> None:
    """It runs from the event's own timestamp: most of these are more than a year old."""
    assert total(served[2], "rtml_event_age_seconds_sum") > SCORED * 365 * 86_400
