"""What aiokafka, as the worker uses it, can rely on with the embedded broker."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from worker.errors import TransportError
from worker.stream.embedded import RETAINED_BYTES_PER_PARTITION, EmbeddedBroker

AT_MS = 1_700_000_000_000
CODECS = [None, "gzip", "snappy", "lz4", "zstd"]
# A call that takes longer than this is one that will not return.
PATIENCE_S = 10.0
# Kafka's own group.initial.rebalance.delay.ms, which the embedded broker must not have.
JOIN_DELAY_S = 3.0


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    """A broker with the topics ``in`` (16 partitions) and ``single`` (1)."""
    with EmbeddedBroker({"in": 16, "single": 1}) as started:
        yield started


def producer(broker: EmbeddedBroker, codec: str | None = None) -> AIOKafkaProducer:
    """A producer as the worker makes it."""
    return AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap,
        enable_idempotence=True,
        acks="all",
        compression_type=codec,
        max_batch_size=900_000,
    )


def consumer(broker: EmbeddedBroker, group: str | None = None) -> AIOKafkaConsumer:
    """A consumer as the worker makes it."""
    return AIOKafkaConsumer(
        bootstrap_servers=broker.bootstrap,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        fetch_max_wait_ms=10,
        # A member that follows another one waits this long, less a second.
        session_timeout_ms=1_500,
        heartbeat_interval_ms=500,
    )


async def fill(
    broker: EmbeddedBroker, topic: str, values: list[bytes | None], codec: str | None = None
) -> None:
    """Send the values as one batch to partition 0, one millisecond apart, with two headers each."""
    async with producer(broker, codec) as sender:
        batch = sender.create_batch()
        for index, value in enumerate(values):
            headers = [("h", b"x"), ("h", b"y")]
            assert batch.append(timestamp=AT_MS + index, key=None, value=value, headers=headers)
        await (await sender.send_batch(batch, topic, partition=0))


async def poll(reader: AIOKafkaConsumer, count: int) -> list[ConsumerRecord]:
    """Exactly ``count`` records, or a failure after `PATIENCE_S`."""
    records: list[ConsumerRecord] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(records) < count:
            for found in (await reader.getmany(timeout_ms=1000)).values():
                records.extend(found)
    assert len(records) == count
    return records


async def topics_of(broker: EmbeddedBroker) -> list[str]:
    """The topics that exist, asked for as the worker does before it subscribes."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        return sorted(await admin.list_topics())
    finally:
        await admin.close()


async def partitions_of(broker: EmbeddedBroker, topic: str) -> int:
    """The number of partitions; asking by name creates the topic here."""
    async with producer(broker) as sender:
        return len(await sender.partitions_for(topic))


def test_topics_have_the_partitions_asked_for(broker: EmbeddedBroker) -> None:
    """A topic made by the broker's own method has exactly the partitions asked for."""
    broker.create_topic("more", 3)
    assert asyncio.run(partitions_of(broker, "more")) == 3
    assert asyncio.run(partitions_of(broker, "in")) == 16


def test_listing_topics_works_and_creates_none(broker: EmbeddedBroker) -> None:
    """Aiokafka's list_topics answers what exists, twice the same."""
    assert asyncio.run(topics_of(broker)) == ["in", "single"]
    assert asyncio.run(topics_of(broker)) == ["in", "single"]


def test_a_topic_asked_for_by_name_appears_with_four_partitions(broker: EmbeddedBroker) -> None:
    """A look-up by name creates the topic, with 4 partitions: create topics beforehand."""
    assert asyncio.run(partitions_of(broker, "unknown")) == 4
    assert asyncio.run(topics_of(broker)) == ["in", "single", "unknown"]


@pytest.mark.parametrize("codec", CODECS)
def test_a_batch_comes_back_as_it_was_sent(broker: EmbeddedBroker, codec: str | None) -> None:
    """An idempotent batch keeps values, nulls, order, timestamps and headers, with each codec."""
    values = [b'{"a": 1}', None, b"", b"x" * 10_000]

    async def run() -> list[ConsumerRecord]:
        await fill(broker, "in", values, codec)
        async with consumer(broker) as reader:
            reader.assign([TopicPartition("in", 0)])
            return await poll(reader, len(values))

    records = asyncio.run(run())
    assert [record.value for record in records] == values
    assert [record.key for record in records] == [None] * len(values)
    assert [record.offset for record in records] == [0, 1, 2, 3]
    assert [record.timestamp - AT_MS for record in records] == [0, 1, 2, 3]
    assert {record.headers for record in records} == {(("h", b"x"), ("h", b"y"))}


def test_a_group_of_one_gets_every_partition_without_delay(broker: EmbeddedBroker) -> None:
    """The only member has all 16 partitions well before Kafka's 3 s delay for a new group."""

    async def run() -> tuple[int, float]:
        async with consumer(broker, "group") as reader:
            reader.subscribe(["in"])
            begin = time.monotonic()
            await fill(broker, "in", [b"one"])
            await poll(reader, 1)
            return len(reader.assignment()), time.monotonic() - begin

    partitions, seconds = asyncio.run(run())
    assert partitions == 16
    assert seconds < JOIN_DELAY_S


def test_a_new_member_goes_on_at_the_committed_offset(broker: EmbeddedBroker) -> None:
    """An offset committed by a member that left is where the next member of its group starts."""

    async def run() -> list[ConsumerRecord]:
        await fill(broker, "single", [b"0", b"1", b"2"])
        async with consumer(broker, "group") as first:
            first.subscribe(["single"])
            await poll(first, 3)
            await first.commit({TopicPartition("single", 0): 2})
        async with consumer(broker, "group") as second:
            second.subscribe(["single"])
            return await poll(second, 1)

    assert [record.value for record in asyncio.run(run())] == [b"2"]


def test_the_oldest_batches_are_dropped_beyond_five_mebibytes(broker: EmbeddedBroker) -> None:
    """A partition holds at most one batch more than 5 MiB; unread records are dropped too."""
    batches, size = 8, 850_000

    async def run() -> tuple[int, int]:
        for _ in range(batches):
            await fill(broker, "single", [b"x" * size])
        async with consumer(broker) as reader:
            partition = TopicPartition("single", 0)
            begin = await reader.beginning_offsets([partition])
            end = await reader.end_offsets([partition])
            return begin[partition], end[partition]

    begin, end = asyncio.run(run())
    assert end == batches
    assert end - begin == RETAINED_BYTES_PER_PARTITION // size


def test_offsets_are_not_found_by_time(broker: EmbeddedBroker) -> None:
    """A look-up by timestamp finds no offset, so a graph that starts at a time cannot run here."""

    async def run() -> object:
        await fill(broker, "single", [b"0"])
        async with consumer(broker) as reader:
            partition = TopicPartition("single", 0)
            return (await reader.offsets_for_times({partition: AT_MS}))[partition]

    assert asyncio.run(run()) is None


def test_another_process_reaches_the_broker(broker: EmbeddedBroker) -> None:
    """The address works outside this process, as the demo's worker needs it."""
    script = (
        "import sys; from confluent_kafka.admin import AdminClient;"
        "admin = AdminClient({'bootstrap.servers': sys.argv[1]});"
        "print(sorted(admin.list_topics(timeout=10).topics))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, broker.bootstrap],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == "['in', 'single']"


def test_a_topic_that_exists_is_refused(broker: EmbeddedBroker) -> None:
    """Creating a topic twice is an error that names the topic."""
    with pytest.raises(TransportError, match=r"'in'.*already exists"):
        broker.create_topic("in", 4)


def test_a_refused_topic_stops_the_broker_again() -> None:
    """A constructor that fails leaves no broker behind and says which topic was wrong."""
    with pytest.raises(TransportError, match="'bad'"):
        EmbeddedBroker({"good": 1, "bad": 0})


def test_stop_closes_the_port_and_may_be_called_twice(broker: EmbeddedBroker) -> None:
    """After stop nobody is served, a second stop is harmless, and a new topic is refused."""
    host, port = broker.bootstrap.split(":")
    broker.stop()
    broker.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=PATIENCE_S)
    with pytest.raises(TransportError, match="stopped"):
        broker.create_topic("late", 1)
