"""Source topics as real ones are: compressed, compacted, with transactions."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path

import pytest
from confluent_kafka import Producer

from tests.kafka.client import Record, Stored, end_offsets, produce, read_all
from tests.kafka.metrics import total
from tests.kafka.service import Service, make_service, serve
from tests.kafka.verdict import Verdict, event, events, judge
from tests.kafka.waiting import until

N = 1_000
CODECS = ["gzip", "snappy", "lz4", "zstd"]
PATIENCE_S = 30.0
SHORT_SEGMENTS = {
    "cleanup.policy": "compact",
    "segment.ms": "100",
    "min.cleanable.dirty.ratio": "0.01",
    "max.compaction.lag.ms": "100",
    "delete.retention.ms": "86400000",
}


@pytest.fixture(scope="module")
def compressed(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Service]:
    """The same events compressed by each codec, all scored by one worker."""
    folder = tmp_path_factory.mktemp("codecs")
    services = {codec: make_service(kafka, folder) for codec in CODECS}
    for codec, service in services.items():
        produce(kafka, service.source, events(N), compression=codec)
    with serve(list(services.values()), folder):
        for service in services.values():
            service.settled()
    return services


@pytest.mark.parametrize("codec", CODECS)
def test_compressed_topics_are_read(compressed: dict[str, Service], codec: str) -> None:
    """Whatever codec a producer used, every event is scored once."""
    assert judge(events(N), compressed[codec].scored()) == Verdict(N, 0, 0, 0, 0)


def compacted(service: Service, sent: list[Record], label: str) -> list[Stored]:
    """What is left once Kafka has removed half of what was sent; it may go on to remove more.

    Records of their own keys are added to ``sent``: Kafka compacts what lies before a new segment.
    """
    half = len(sent) / 2
    while len(left := read_all(service.bootstrap, service.source)) > half:
        sent.append(Record(event(len(sent)), b"%s-%d" % (label.encode(), len(sent))))
        produce(service.bootstrap, service.source, sent[-1:])
    return left


def judge_compacted(service: Service, sent: Sequence[Record]) -> None:
    """Each event that is still there, and so was there all the time, is scored; none is twice."""
    left = {one.value for one in read_all(service.bootstrap, service.source)}
    scored, dead = service.scored(), service.dead_letters()
    verdict = judge([one for one in sent if one.value], scored, dead)
    assert (verdict.duplicated, verdict.reordered, verdict.altered) == (0, 0, 0)
    assert judge([one for one in sent if one.value and one.value in left], scored).lost == 0
    assert dead == []


def test_a_compacted_topic_with_gaps_and_tombstones(kafka: str, tmp_path: Path) -> None:
    """What is left is scored, tombstones are counted drops, gaps do not stall the commits."""
    service = make_service(kafka, tmp_path, partitions=2, source_config=SHORT_SEGMENTS)
    # Their time is now: Kafka begins a new segment, and compacts the old one, by that time.
    sent = [Record(event(seq), b"key-%d" % (seq % 20)) for seq in range(N)]
    produce(kafka, service.source, [*sent, *(Record(None, b"key-%d" % key) for key in range(5))])
    left = compacted(service, sent, "before")
    gaps = sum(end_offsets(kafka, service.source).values()) - len(left)
    with service.worker() as worker:
        service.settled()
        page = worker.get("/metrics")[1]
    print(f"{len(left)} records left, {gaps} offsets gone")
    assert gaps > 0
    judge_compacted(service, sent)
    assert total(page, "rtml_events_dropped_total", reason="tombstone") == 5
    assert total(page, "rtml_consumer_lag") == 0


def test_a_topic_that_is_compacted_while_it_is_read(kafka: str, tmp_path: Path) -> None:
    """Offsets that are gone when the worker gets there cost none of those behind them."""
    service = make_service(kafka, tmp_path, partitions=2, source_config=SHORT_SEGMENTS)
    sent = [Record(event(seq), b"key-%d" % (seq % 20)) for seq in range(N)]
    with service.worker() as worker:
        produce(kafka, service.source, sent)
        service.settled()
        worker.signal(signal.SIGSTOP)
        more = [Record(event(seq), b"key-%d" % (seq % 20)) for seq in range(N, 3 * N)]
        sent += more
        # The first part answers the request that the worker has sent already.
        for part in (more[:40], more[40:]):
            produce(kafka, service.source, part)
        compacted(service, sent, "while")
        worker.signal(signal.SIGCONT)
        service.settled()
        received = total(worker.get("/metrics")[1], "rtml_events_received_total")
    print(f"{received:.0f} of {len(sent)} received")
    assert received < len(sent)
    judge_compacted(service, sent)


@pytest.mark.parametrize("isolation", ["read_committed", "read_uncommitted"])
def test_transactional_sources(kafka: str, tmp_path: Path, isolation: str) -> None:
    """Aborted events are scored only where the graph asks for it; commits reach the end."""
    service = make_service(kafka, tmp_path, partitions=1, source={"isolation": isolation})
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": service.name})
    producer.init_transactions(PATIENCE_S)
    seq, seen = 0, []
    for finish in ("commit", "abort", "commit", "abort"):
        producer.begin_transaction()
        for one in events(50, start=seq):
            producer.produce(service.source, one.value, one.key, timestamp=one.timestamp_ms or 0)
        producer.flush(PATIENCE_S)
        getattr(producer, f"{finish}_transaction")(PATIENCE_S)
        if finish == "commit" or isolation == "read_uncommitted":
            seen += events(50, start=seq)
        seq += 50
    with service.worker() as worker:
        service.settled()
        until(lambda: total(worker.get("/metrics")[1], "rtml_consumer_lag") == 0)
        page = worker.get("/metrics")[1]
    assert judge(seen, service.scored()) == Verdict(len(seen), 0, 0, 0, 0)
    assert total(page, "rtml_events_received_total") == len(seen)
