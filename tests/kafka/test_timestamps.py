"""Timestamps that a topic of the output does not take."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from tests.kafka.client import Record, Stored, create_topic, produce, read_all
from tests.kafka.metrics import total
from tests.kafka.service import SCORE, make_service
from tests.kafka.verdict import Verdict, events, judge

N = 2_000
DAY_MS = 86_400_000
AHEAD = {"message.timestamp.after.max.ms": str(10 * DAY_MS)}
HIGH = {
    "id": "grade",
    "type": "Cut",
    "params": {"column": "score", "bins": [0, 0.5, 1], "labels": ["low", "high"], "into": "grade"},
}


def tomorrow(sent: list[Record], places: list[int]) -> list[Record]:
    """The events at these places, their time set to a day ahead."""
    stamp_ms = int(time.time() * 1_000) + DAY_MS
    for place in places:
        sent[place] = replace(sent[place], timestamp_ms=stamp_ms)
    return [sent[place] for place in places]


def reasons(dead: list[Stored]) -> set[tuple[bytes | None, bytes | None]]:
    """The stages and errors of dead letters."""
    return {(one.header("rtml-dlq-stage"), one.header("rtml-dlq-error")) for one in dead}


@pytest.mark.long
def test_a_timestamp_far_in_the_future(kafka: str, tmp_path: Path) -> None:
    """Kafka takes none that is an hour ahead: a dead letter, its own time kept in the headers."""
    service = make_service(kafka, tmp_path, source_config=AHEAD)
    sent = events(N)
    (early,) = tomorrow(sent, [N // 2])
    produce(kafka, service.source, sent)
    with service.worker() as worker:
        service.settled()
        assert not worker.log_events("produce_refused")
        page = worker.get("/metrics")[1]
    (dead,) = service.dead_letters()
    assert (dead.key, dead.value) == (early.key, early.value)
    assert dead.header("rtml-dlq-timestamp") == b"%d" % (early.timestamp_ms or 0)
    assert abs((dead.timestamp_ms or 0) - time.time() * 1_000) < DAY_MS / 2
    assert reasons([dead]) == {(b"produce", b"TimestampRefused")}
    others = [one for one in sent if one is not early]
    assert judge(others, service.scored()) == Verdict(N - 1, 0, 0, 0, 0)
    assert total(page, "rtml_dead_letters_total", stage="produce") == 1


@pytest.mark.long
def test_each_topic_of_a_route_has_its_own_limit(kafka: str, tmp_path: Path) -> None:
    """Of events that are a day ahead, those whose topic takes them are scored, the others not."""
    high = f"high-{uuid.uuid4().hex[:8]}"
    create_topic(kafka, high)
    route = {"id": "way", "type": "Route", "params": {"column": "grade", "topics": {"high": high}}}
    service = make_service(
        kafka,
        tmp_path,
        source_config=AHEAD,
        sink_config=AHEAD,
        nodes=[SCORE, HIGH, route],
        sink={"fields": ["score"]},
    )
    sent = events(100)
    early = tomorrow(sent, list(range(40, 60)))
    produce(kafka, service.source, sent)
    with service.worker() as worker:
        service.settled()
        assert not worker.log_events("produce_refused")
    low, routed, dead = service.scored(), read_all(kafka, high), service.dead_letters()
    values = {one.value for one in early}
    print(f"{len(low)} low, {len(routed)} high, {len(dead)} dead letters")
    assert reasons(dead) == {(b"produce", b"TimestampRefused")}
    assert {one.value for one in dead} < values
    assert all(one.timestamp_ms != early[0].timestamp_ms for one in routed)
    alive = [one for one in sent if one.value not in {letter.value for letter in dead}]
    assert judge(alive, [*low, *routed]) == Verdict(len(alive), 0, 0, 0, 0)


def test_a_topic_that_stamps_by_itself_takes_every_time(kafka: str, tmp_path: Path) -> None:
    """With LogAppendTime a record's own time does not matter: nothing is a dead letter."""
    append_time = {"message.timestamp.type": "LogAppendTime"}
    service = make_service(kafka, tmp_path, source_config=AHEAD, sink_config=append_time)
    sent = events(100)
    tomorrow(sent, [50])
    produce(kafka, service.source, sent)
    with service.worker():
        service.settled()
    anytime = [replace(one, timestamp_ms=None) for one in sent]
    assert judge(anytime, service.scored(), service.dead_letters()) == Verdict(100, 0, 0, 0, 0)
    assert service.dead_letters() == []
