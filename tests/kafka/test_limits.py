"""Records that are too large for a topic of the output."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.kafka.client import Record, Stored, create_topic, produce
from tests.kafka.configure import configure_topic
from tests.kafka.feeder import Feeder
from tests.kafka.service import Service, make_service
from tests.kafka.verdict import Verdict, event, events, judge

N = 2_000
LIMIT = 20_000
DEFAULT_LIMIT = 1_048_588


def padded(seq: int, size: int) -> Record:
    """A numbered event whose value has about so many bytes."""
    value = event(seq)[:-1] + b', "pad": "%s"}' % (b"x" * size)
    return Record(value, b"key-%d" % (seq % 101))


def reasons(dead: list[Stored]) -> set[tuple[bytes | None, bytes | None]]:
    """The stages and errors of dead letters."""
    return {(one.header("rtml-dlq-stage"), one.header("rtml-dlq-error")) for one in dead}


def test_a_record_too_large_for_the_sink(kafka: str, tmp_path: Path) -> None:
    """It becomes a dead letter of stage produce; its neighbours are scored in order."""
    service = make_service(kafka, tmp_path, sink_config={"max.message.bytes": str(LIMIT)})
    sent = events(N)
    for seq in range(100, N, 400):
        sent[seq] = padded(seq, 2 * LIMIT)
    produce(kafka, service.source, sent)
    with service.worker() as worker:
        service.settled()
        assert not worker.log_events("produce_refused")
    scored, dead = service.scored(), service.dead_letters()
    assert judge(sent, scored, dead) == Verdict(N, 0, 0, 0, 0)
    assert len(dead) == len(range(100, N, 400))
    assert reasons(dead) == {(b"produce", b"RecordTooLarge")}


def test_the_limit_is_exact(kafka: str, tmp_path: Path) -> None:
    """Of records that grow by a byte, the last one that Kafka takes is scored, the next is not."""
    service = make_service(
        kafka, tmp_path, partitions=1, sink_config={"max.message.bytes": str(LIMIT)}
    )
    sent = [padded(seq, LIMIT - 600 + seq) for seq in range(600)]
    produce(kafka, service.source, sent)
    with service.worker() as worker:
        service.settled()
        assert not worker.log_events("produce_refused")
    scored, dead = service.scored(), service.dead_letters()
    assert judge(sent, scored, dead) == Verdict(len(sent), 0, 0, 0, 0)
    sizes = [
        int(re.findall(rb"(\d+) bytes", one.header("rtml-dlq-message") or b"")[0]) for one in dead
    ]
    assert min(sizes) == LIMIT + 1
    assert len(scored) > 0


@pytest.mark.long
def test_a_limit_lowered_while_the_worker_runs(kafka: str, tmp_path: Path) -> None:
    """What is refused is read again under the new limit: nothing lost, the large ones dead."""
    service = make_service(kafka, tmp_path)
    sent = [padded(seq, 100) for seq in range(8_000)]
    large = range(6_000, 8_000, 500)
    for seq in large:
        sent[seq] = padded(seq, 2 * LIMIT)
    with service.worker() as worker:
        worker.wait_ready()
        with Feeder(kafka, service.source, sent, per_s=3_000) as feeder:
            feeder.wait_sent(2_000)
            configure_topic(kafka, service.sink, "max.message.bytes", str(LIMIT))
        service.settled()
        refused = len(worker.log_events("produce_refused"))
        assert worker.terminate() == 0
    scored, dead = service.scored(), service.dead_letters()
    verdict = judge(sent, scored, dead)
    print(f"{refused} batches refused, {len(dead)} dead letters")
    assert refused > 0
    assert (verdict.lost, verdict.reordered, verdict.altered) == (0, 0, 0)
    assert {one.value for one in dead} == {sent[seq].value for seq in large}


@pytest.mark.long
def test_a_dead_letter_that_is_refused_stops_the_worker(kafka: str, tmp_path: Path) -> None:
    """It is not committed: exit 3, the reason told; with room made the next worker goes on."""
    service = make_service(
        kafka, tmp_path, partitions=1, dead_config={"max.message.bytes": str(LIMIT)}
    )
    sent = [*events(10), Record(b"x" * 2 * LIMIT, b"k"), *events(10, start=10)]
    produce(kafka, service.source, sent)
    with service.worker() as worker:
        assert worker.wait() == 3
    assert told(service, worker.log.read_text())
    configure_topic(kafka, service.dead, "max.message.bytes", str(4 * LIMIT))
    with service.worker():
        service.settled()
    verdict = judge(sent, service.scored(), service.dead_letters())
    assert (verdict.lost, verdict.reordered, verdict.altered) == (0, 0, 0)


def test_what_the_source_takes_the_dead_letter_topic_takes_too(kafka: str, tmp_path: Path) -> None:
    """The topic that the worker makes has room for the largest event of the source and headers."""
    service = make_service(kafka, tmp_path, partitions=1, create=False)
    create_topic(kafka, service.source, 1)
    largest = DEFAULT_LIMIT - 80  # of a record batch with a short key
    produce(kafka, service.source, [Record(b"x" * largest, b"k"), *events(10)])
    with service.worker("--create-topics"):
        service.settled()
    assert [len(one.value or b"") for one in service.dead_letters()] == [largest]
    assert len(service.scored()) == 10


@pytest.mark.long
def test_a_dead_letter_that_fits_just_so_has_fewer_headers(kafka: str, tmp_path: Path) -> None:
    """Place, stage and error remain where all the headers would make it too large."""
    config = {"max.message.bytes": str(LIMIT)}
    service = make_service(kafka, tmp_path, partitions=1, dead_config=config)
    produce(kafka, service.source, [Record(b"x" * (LIMIT - 400), b"k"), *events(10)])
    with service.worker():
        service.settled()
    (dead,) = service.dead_letters()
    assert dead.header("rtml-dlq-offset") == b"0"
    assert dead.header("rtml-dlq-error") is not None
    assert dead.header("rtml-dlq-message") is None
    assert len(service.scored()) == 10


def test_what_fits_when_compressed_is_scored(kafka: str, tmp_path: Path) -> None:
    """Kafka's limit is on the compressed batch: an event three times as large passes."""
    config = {"max.message.bytes": str(LIMIT)}
    service = make_service(
        kafka, tmp_path, partitions=1, sink_config=config, sink={"compression": "gzip"}
    )
    sent = [padded(0, 3 * LIMIT), *events(10, start=1)]
    produce(kafka, service.source, sent)
    with service.worker():
        service.settled()
    assert judge(sent, service.scored(), service.dead_letters()) == Verdict(11, 0, 0, 0, 0)
    assert service.dead_letters() == []


def told(service: Service, log: str) -> bool:
    """Whether the log says which record was refused, where, and what to do."""
    text = " ".join(log.split())
    return f"dead letter of {service.source}-0@10" in text and service.dead in text
