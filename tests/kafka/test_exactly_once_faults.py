"""Exactly once where Kafka goes away, refuses a record, or holds more than events."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.broker import RealKafka
from tests.kafka.client import (
    Record,
    Stored,
    committed,
    create_topic,
    end_offsets,
    produce,
    read_all,
)
from tests.kafka.feeder import Feeder
from tests.kafka.liveness import ready
from tests.kafka.metrics import total
from tests.kafka.service import make_service
from tests.kafka.verdict import Verdict, event, events, judge
from tests.kafka.waiting import until

pytestmark = pytest.mark.long

GUARANTEE = "exactly_once"


@pytest.mark.parametrize(
    ("end", "away_s"), [(RealKafka.stop, 0.0), (RealKafka.kill, 14.0)], ids=["restart", "killed"]
)
def test_a_broker_that_goes_away_costs_nothing(
    own_kafka: RealKafka, tmp_path: Path, end: Callable[[RealKafka], None], away_s: float
) -> None:
    """Away for a moment, and for longer than a transaction may last: each record has one outcome.

    Readiness tells of the longer one.
    """
    service = make_service(own_kafka.bootstrap, tmp_path, guarantee=GUARANTEE)
    sent = events(8_000)
    with service.worker() as worker:
        worker.wait_ready()
        with Feeder(own_kafka.bootstrap, service.source, sent, 2_000) as feed:
            feed.wait_sent(2_000)
            end(own_kafka)
            begin_s = time.monotonic()
            if away_s:
                until(lambda: ready(worker)[0] == 503)
                until(lambda: time.monotonic() - begin_s >= away_s)
            own_kafka.start()
            back_s = until(lambda: ready(worker)[0] == 200)
        service.settled()
        assert worker.terminate() == 0
    # Killed, Kafka may forget what it has of the test's own producer, which then sends it twice.
    twice = len(read_all(own_kafka.bootstrap, service.source)) - len(sent)
    print(f"ready {back_s:.1f} s after the broker, {twice} events twice in the source")
    assert judge(sent, service.scored()) == Verdict(len(sent), 0, twice, 0, 0)


@pytest.mark.parametrize("guilty", [{500}, {3, 250, 251, 998}])
def test_a_refused_record_costs_itself_only(kafka: str, tmp_path: Path, guilty: set[int]) -> None:
    """Records without a key are refused by a compacted sink: a dead letter each, the rest once."""
    config = {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "1.0"}
    service = make_service(kafka, tmp_path, sink_config=config, guarantee=GUARANTEE)
    sent = [
        Record(event(i), None if i in guilty else b"k%d" % i, partition=i % 4) for i in range(1_000)
    ]
    produce(kafka, service.source, sent)
    with service.worker() as worker:
        worker.wait_ready()
        service.settled()
        assert worker.terminate() == 0
    scored, dead = service.scored(), service.dead_letters()
    assert sorted(one.value or b"" for one in dead) == sorted(event(i) for i in guilty)
    assert {one.header("rtml-dlq-stage") for one in dead} == {b"produce"}
    assert judge(sent, scored, dead) == Verdict(len(sent), 0, 0, 0, 0)


def test_both_guarantees_write_the_same_bytes(kafka: str, tmp_path: Path) -> None:
    """Scores and dead letters of the same events are equal in key, value, timestamp, partition."""
    sent = [*events(1_000), Record(b"no json", b"k", timestamp_ms=1_700_000_000_000)]

    def outcome(guarantee: str) -> list[list[tuple[object, ...]]]:
        service = make_service(kafka, tmp_path, guarantee=guarantee)
        produce(kafka, service.source, sent)
        with service.worker():
            service.settled()
        return [list(map(_content, found)) for found in (service.scored(), service.dead_letters())]

    exact, least = outcome(GUARANTEE), outcome("at_least_once")
    assert [len(found) for found in exact] == [1_000, 1]
    assert exact == least


def _content(one: Stored) -> tuple[object, ...]:
    return one.partition, one.key, one.value, one.timestamp_ms, one.header("rtml-model")


def test_one_service_reads_what_another_writes_once(kafka: str, tmp_path: Path) -> None:
    """The marks that transactions leave in a topic are passed over; the group gets to its end."""
    first = make_service(kafka, tmp_path, guarantee=GUARANTEE)
    second = make_service(kafka, tmp_path, source={"topic": first.sink}, guarantee=GUARANTEE)
    create_topic(kafka, f"{first.sink}-dlq")
    sent = events(500)
    with first.worker(), second.worker():
        with Feeder(kafka, first.source, sent, per_s=250):
            pass
        first.settled()
        ends = end_offsets(kafka, first.sink)
        until(lambda: committed(kafka, second.group, first.sink) == ends)
    assert sum(ends.values()) > len(sent)
    assert len(second.scored()) == len({one.value for one in second.scored()}) == len(sent)


@pytest.mark.alone
def test_events_that_leave_no_record_are_committed(kafka: str, tmp_path: Path) -> None:
    """Events that are all dropped leave no record, and are committed all the same."""
    service = make_service(kafka, tmp_path, guarantee=GUARANTEE)
    produce(kafka, service.source, [Record(None, b"k%d" % i) for i in range(100)])
    with service.worker() as worker:
        service.settled()
        page = worker.get("/metrics")[1]
    assert total(page, "rtml_events_dropped_total", reason="tombstone") == 100
    assert service.scored() == []
