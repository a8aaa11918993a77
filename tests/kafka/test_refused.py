"""A record that Kafka refuses for a reason that nobody could foresee."""

from __future__ import annotations

from pathlib import Path

from tests.kafka.client import Record, produce, read_all
from tests.kafka.service import make_service
from tests.kafka.verdict import event


def test_a_refused_record_costs_itself_only(kafka: str, tmp_path: Path) -> None:
    """A record without a key is refused by a compacted sink: one dead letter, 999 scored."""
    service = make_service(kafka, tmp_path, sink_config={"cleanup.policy": "compact"})
    sent = [Record(event(i), b"k%d" % i, partition=i % 4) for i in range(1_000)]
    sent[500] = Record(event(500), None, partition=0)
    produce(kafka, service.source, sent)
    with service.worker() as worker:
        worker.wait_ready()
        service.settled()
        assert worker.terminate() == 0
    [dead] = read_all(kafka, service.dead)
    scored = read_all(kafka, service.sink)  # what was read again is there again: at least once
    headers = dict(dead.headers)
    assert (headers["rtml-dlq-stage"], dead.value) == (b"produce", sent[500].value)
    assert len({record.key for record in scored}) == 999
