"""What a scored record keeps of its event: key, timestamp, headers, partition, order."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from tests.kafka.client import Header, Record, Stored, create_topic, produce, read_all
from tests.kafka.service import MODEL, Service, make_service, serve
from tests.kafka.verdict import Verdict, event, events, judge
from worker.graph.spec import load

N = 2_000
SOURCE_PARTITIONS, OTHER_PARTITIONS = 4, 6
TRACE = ("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
HEADERS: list[Header] = [TRACE, ("a", b"1"), ("a", b"2"), ("null", None), ("rtml-x", b"")]
UNUSUAL_KEYS = [None, b"", b"\xff\x00\xfe", b"k" * 300]


def sent() -> list[Record]:
    """Numbered events; every tenth has headers, the last ones unusual keys."""
    records = events(N)
    for seq in range(0, N, 10):
        records[seq] = replace(records[seq], headers=HEADERS)
    for seq, key in enumerate(UNUSUAL_KEYS, N):
        records.append(Record(event(seq), key, partition=seq % SOURCE_PARTITIONS))
    return records


class Run:
    """What was sent to a service and what it made of it."""

    def __init__(self, service: Service, places: list[tuple[int, int]]) -> None:
        self.service = service
        self.places = places
        self.scored = service.scored()
        self.by_seq = {json.loads(one.value or b"")["seq"]: one for one in self.scored}


@pytest.fixture(scope="module")
def runs(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """The same events through a sink with as many partitions and one with more."""
    folder = tmp_path_factory.mktemp("records")
    services = {
        "same": make_service(kafka, folder, partitions=SOURCE_PARTITIONS),
        "more": make_service(
            kafka, folder, partitions=SOURCE_PARTITIONS, sink_partitions=OTHER_PARTITIONS
        ),
    }
    places = {name: produce(kafka, one.source, sent()) for name, one in services.items()}
    with serve(list(services.values()), folder):
        for service in services.values():
            service.settled()
    return {name: Run(service, places[name]) for name, service in services.items()}


@pytest.mark.parametrize("name", ["same", "more"])
def test_every_event_is_scored_once_and_in_order(runs: dict[str, Run], name: str) -> None:
    """Bytes, key, timestamp and score are right, the order per key is kept; none lost or twice."""
    assert judge(sent(), runs[name].scored) == Verdict(N + len(UNUSUAL_KEYS), 0, 0, 0, 0)


def test_partition_and_order_are_the_source_s(runs: dict[str, Run]) -> None:
    """Where the topics have as many partitions, each holds its source's events in their order."""
    run = runs["same"]
    wanted: dict[int, list[int]] = {number: [] for number in range(SOURCE_PARTITIONS)}
    for seq, (partition, _) in sorted(enumerate(run.places), key=lambda item: item[1]):
        wanted[partition].append(seq)
    found: dict[int, list[int]] = {number: [] for number in range(SOURCE_PARTITIONS)}
    for one in run.scored:
        found[one.partition].append(json.loads(one.value or b"")["seq"])
    assert found == wanted


def test_the_key_decides_where_the_partitions_differ(runs: dict[str, Run], kafka: str) -> None:
    """Keys go where librdkafka's Java-compatible partitioner puts them, also an empty one."""
    witness = f"{runs['more'].service.name}-witness"
    create_topic(kafka, witness, OTHER_PARTITIONS)
    keyed = [replace(record, partition=None) for record in sent() if record.key is not None]
    produce(kafka, witness, keyed)
    wanted = {
        json.loads(one.value or b"")["seq"]: one.partition for one in read_all(kafka, witness)
    }
    found = {seq: runs["more"].by_seq[seq].partition for seq in wanted}
    assert len(wanted) == N + len(UNUSUAL_KEYS) - 1
    assert found == wanted


def test_events_without_a_key_stay_together(runs: dict[str, Run]) -> None:
    """Without a key the source's partition decides, so that its order is kept."""
    seq = N + UNUSUAL_KEYS.index(None)
    partition, _ = runs["more"].places[seq]
    assert runs["more"].by_seq[seq].partition == partition % OTHER_PARTITIONS


def lineage(service: Service) -> list[Header]:
    """The headers that the worker adds."""
    digest = load(service.graph)[0].digest
    model = hashlib.sha256(MODEL.read_bytes()).hexdigest()
    return [
        ("rtml-service", service.name.encode()),
        ("rtml-graph", digest[:12].encode()),
        ("rtml-model", f"lr.onnx:{model[:12]}".encode()),
    ]


@pytest.mark.parametrize("name", ["same", "more"])
def test_headers_are_kept_before_the_lineage(runs: dict[str, Run], name: str) -> None:
    """Headers come first, with repeated names, nulls and the trace; then what made the score."""
    run = runs[name]
    ours = lineage(run.service)
    with_headers: list[Stored] = [run.by_seq[seq] for seq in range(0, N, 10)]
    without = [run.by_seq[seq] for seq in range(N) if seq % 10]
    assert all(one.headers == [*HEADERS, *ours] for one in with_headers)
    assert all(one.headers == ours for one in without)
