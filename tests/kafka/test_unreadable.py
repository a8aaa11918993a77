"""Records that the Kafka client itself cannot read."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path

from aiokafka import AIOKafkaProducer
from aiokafka.record.util import calc_crc32c

from tests.kafka.client import produce
from tests.kafka.service import make_service
from tests.kafka.verdict import Verdict, events, judge

PLACEHOLDER = b"name-in-ascii"
CRC_AT = 17
"""Where a record batch of format 2 holds its checksum, which covers all that follows it."""


async def send_header_that_is_no_text(bootstrap: str, topic: str) -> None:
    """Stores one event whose header's name is not UTF-8; no client's own interface makes one."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        batch = producer.create_batch()
        headers = [(PLACEHOLDER.decode(), b"1")]
        batch.append(timestamp=None, key=b"k", value=b"{}", headers=headers)
        built = bytearray(batch._build())
        at = built.index(PLACEHOLDER)
        built[at : at + 2] = b"\xff\xfe"
        struct.pack_into(">I", built, CRC_AT, calc_crc32c(bytes(built[CRC_AT + 4 :])))
        batch._buffer = built
        await (await producer.send_batch(batch, topic, partition=0))


def test_a_header_name_that_is_no_text(kafka: str, tmp_path: Path) -> None:
    """What comes before is scored and committed; then exit 3 with the place and the way out."""
    service = make_service(kafka, tmp_path, partitions=1)
    produce(kafka, service.source, events(10))
    asyncio.run(send_header_that_is_no_text(kafka, service.source))
    with service.worker() as worker:
        assert worker.wait() == 3
    told = " ".join(worker.log.read_text().split())
    assert "UnicodeDecodeError" in told
    assert f"{service.source}-0@10 " in told
    assert "kafka-consumer-groups.sh" in told
    assert judge(events(10), service.scored()) == Verdict(10, 0, 0, 0, 0)
