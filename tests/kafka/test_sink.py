"""What the graph file says of its sink, seen in the records."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace

import pytest

from tests.kafka.client import Record, create_topic, produce, read_all
from tests.kafka.service import SCORE, Service, make_service, serve
from tests.kafka.verdict import Verdict, events, judge

N = 1_000
CODECS = ["gzip", "snappy", "lz4", "zstd"]
GRADES = ("low", "middle", "high")
CUT = {
    "id": "grade",
    "type": "Cut",
    "params": {
        "column": "score",
        "bins": [0, 0.2, 0.8, 1],
        "labels": list(GRADES),
        "into": "grade",
    },
}


def grade(score: float) -> str:
    """What `CUT` calls a score."""
    return GRADES[(score > 0.2) + (score > 0.8)]


def sent() -> list[Record]:
    """Numbered events, each with a header."""
    return [replace(one, headers=[("h", b"1")]) for one in events(N)]


@pytest.fixture(scope="module")
def routes(kafka: str) -> dict[str, str]:
    """A topic for each grade but the middle one; the numbers of partitions differ."""
    topics = {grade: f"grade-{grade}-{uuid.uuid4().hex[:8]}" for grade in ("low", "high")}
    for partitions, topic in enumerate(topics.values(), 3):
        create_topic(kafka, topic, partitions)
    return topics


@pytest.fixture(scope="module")
def services(
    kafka: str, routes: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Service]:
    """The same events, scored by one worker for sinks that differ."""
    folder = tmp_path_factory.mktemp("sink")
    route = {"id": "way", "type": "Route", "params": {"column": "grade", "topics": routes}}
    made = {
        "bare": make_service(kafka, folder, sink={"headers": False}),
        "only": make_service(kafka, folder, sink={"into": "only"}),
        "route": make_service(kafka, folder, nodes=[SCORE, CUT, route], sink={"fields": ["score"]}),
        **{codec: make_service(kafka, folder, sink={"compression": codec}) for codec in CODECS},
    }
    for service in made.values():
        produce(kafka, service.source, sent())
    with serve(list(made.values()), folder):
        for service in made.values():
            service.settled()
    return made


def test_lineage_can_be_turned_off(services: dict[str, Service]) -> None:
    """With ``headers: false`` a scored record has the headers of its event and no other."""
    scored = services["bare"].scored()
    assert judge(sent(), scored) == Verdict(N, 0, 0, 0, 0)
    assert {tuple(one.headers) for one in scored} == {(("h", b"1"),)}


def test_only_the_fields_are_written(services: dict[str, Service]) -> None:
    """With ``into: only`` the value holds the fields alone; key, timestamp and order stay."""
    by_place = {(one.partition, one.offset): one for one in services["bare"].scored()}
    scored = services["only"].scored()
    assert len(scored) == N
    for one in scored:
        whole = by_place[one.partition, one.offset]
        assert json.loads(one.value or b"") == {"score": json.loads(whole.value or b"")["score"]}
        assert (one.key, one.timestamp_ms) == (whole.key, whole.timestamp_ms)


def test_route_spreads_events_over_topics(
    services: dict[str, Service], routes: dict[str, str], kafka: str
) -> None:
    """Each event is once in the topic of its grade, in its key's order; the rest in the sink."""
    topics = {**routes, "middle": services["route"].sink}
    found = {name: read_all(kafka, topic) for name, topic in topics.items()}
    print({name: len(records) for name, records in found.items()})
    every = [one for records in found.values() for one in records]
    assert judge(sent(), every) == Verdict(N, 0, 0, 0, 0)
    for name, records in found.items():
        assert {grade(json.loads(one.value or b"")["score"]) for one in records} == {name}


@pytest.mark.parametrize("codec", CODECS)
def test_sinks_can_be_compressed(services: dict[str, Service], codec: str) -> None:
    """With each codec the scored records are as they should be."""
    assert judge(sent(), services[codec].scored()) == Verdict(N, 0, 0, 0, 0)
