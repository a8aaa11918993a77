"""Record batches that are small on the wire and large in memory."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.batches import PACK, batch, record, send, varint
from tests.kafka.client import produce
from tests.kafka.service import make_service
from tests.kafka.verdict import Verdict, events, judge

pytestmark = pytest.mark.long

MIB = 2**20
RECORDS = 256
"""Of 1 MiB each, in one batch."""
MOST_RSS_BYTES = 2**30
SOURCE = {"max.message.bytes": "20000000"}


def peak_bytes(pid: int) -> int:
    """The most memory that a process has had."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024


def test_batches_that_unpack_to_256_mib(kafka: str, tmp_path: Path) -> None:
    """Their records are dead letters that say where they stand; their neighbours are scored."""
    service = make_service(kafka, tmp_path, partitions=1, source_config=SOURCE)
    now_ms, zeros = time.time_ns() // 1_000_000, bytes(MIB)
    firsts: list[int] = []
    for i, codec in enumerate(PACK):
        produce(kafka, service.source, events(10, start=10 * i))
        bomb = batch((record(i, zeros) for i in range(RECORDS)), codec, now_ms)
        firsts += send(kafka, service.source, [bomb])
        print(f"{codec}: {len(bomb)} bytes on the wire")
    produce(kafka, service.source, events(10, start=40))
    with service.worker() as worker:
        service.settled()
        peak = peak_bytes(worker.process.pid)
        told = worker.log_events("batch_not_read")
        assert worker.terminate() == 0
    print(f"at most {peak / MIB:.0f} MiB of memory")
    assert peak < MOST_RSS_BYTES
    assert judge(events(50), service.scored()) == Verdict(50, 0, 0, 0, 0)
    dead = service.dead_letters()
    places = [first + i for first in firsts for i in range(RECORDS)]
    assert [int(one.header("rtml-dlq-offset") or b"-1") for one in dead] == places
    assert {one.header("rtml-dlq-error") for one in dead} == {b"BatchTooLarge"}
    assert {one.header("rtml-dlq-omitted") for one in dead} == {b"key,value,headers"}
    assert {one.value for one in dead} == {None}
    assert [line["first"] for line in told] == firsts


def test_records_over_the_limits(kafka: str, tmp_path: Path) -> None:
    """They are dead letters, whole where the topic takes them; no dead letter stops the worker."""
    service = make_service(kafka, tmp_path, partitions=1)
    now_ms = time.time_ns() // 1_000_000
    # The source takes a megabyte: what is larger came compressed.
    large = [
        record(0, b'{"f0": 1, "f1": 1, "pad": "%s"}' % (b"x" * (2 * MIB))),
        record(1, b'{"f0": 1, "f1": 1, "pad": "%s"}' % (b"x" * (12 * MIB))),
        record(2, b"{}", key=b"k" * 100_000),
        record(3, b"{}", raw_headers=varint(10_000) + b"\2h\2x" * 10_000),
    ]
    produce(kafka, service.source, events(10))
    send(kafka, service.source, [batch(large, "zstd", now_ms)])
    produce(kafka, service.source, events(10, start=10))
    with service.worker() as worker:
        service.settled()
        peak = peak_bytes(worker.process.pid)
        assert worker.terminate() == 0
    assert peak < MOST_RSS_BYTES
    assert judge(events(20), service.scored()) == Verdict(20, 0, 0, 0, 0)
    dead = service.dead_letters()
    said = [(one.header("rtml-dlq-error"), one.header("rtml-dlq-omitted")) for one in dead]
    everything = b"key,value,headers"
    assert said == [
        (b"RecordTooLarge", everything),
        (b"RecordTooLarge", everything),
        (b"RecordTooLarge", None),
        (b"RecordTooLarge", None),
    ]
    assert [one.header("rtml-dlq-stage") for one in dead] == [b"produce", *[b"decode"] * 3]
    assert [one.value for one in dead[2:]] == [b"{}", b"{}"]
    assert len(dead[2].key or b"") == 100_000
    assert sum(name == "h" for name, _ in dead[3].headers) == 1_000
