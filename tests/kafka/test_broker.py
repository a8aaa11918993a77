"""The real Kafka that the other tests stand on, and the witness that they believe."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.broker import Listener, RealKafka
from tests.jars import KafkaUnavailable
from tests.kafka.client import (
    MakeTopic,
    Record,
    committed,
    create_topic,
    end_offsets,
    produce,
    read_all,
)
from tests.kafka.conftest import unavailable
from tests.kafka.waiting import until

AT_MS = 1_700_000_000_000
PATIENCE_S = 30.0


def test_a_record_comes_back_as_it_was_sent(kafka: str, topic: MakeTopic) -> None:
    """Value, key, headers with repeated names and nulls, and the timestamp are kept."""
    name = topic(partitions=2)
    headers: list[tuple[str, bytes | None]] = [("a", b"1"), ("a", b"2"), ("b", None)]
    sent = Record(b"value", b"key", headers, AT_MS, partition=1)
    assert produce(kafka, name, [sent]) == [(1, 0)]
    (found,) = read_all(kafka, name)
    assert (found.partition, found.offset, found.timestamp_ms) == (1, 0, AT_MS)
    assert (found.key, found.value, found.headers) == (b"key", b"value", headers)


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_compressed_records_come_back(kafka: str, topic: MakeTopic, codec: str) -> None:
    """The witness writes and reads each codec, nulls included, in the order of a partition."""
    name = topic(partitions=1)
    values = [*(b"%d" % number * 50 for number in range(100)), None]
    produce(kafka, name, [Record(value, b"k") for value in values], compression=codec)
    assert [record.value for record in read_all(kafka, name)] == values


def test_reading_ends_at_a_transaction_marker(kafka: str, topic: MakeTopic) -> None:
    """Read committed, aborted records are unseen, and an end that is a marker is still reached."""
    name = topic(partitions=1)
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": name})
    producer.init_transactions(PATIENCE_S)
    for value, finish in (
        (b"kept", producer.commit_transaction),
        (b"gone", producer.abort_transaction),
    ):
        producer.begin_transaction()
        producer.produce(name, value)
        producer.flush(PATIENCE_S)
        finish(PATIENCE_S)
    assert end_offsets(kafka, name) == {0: 4}
    assert [record.value for record in read_all(kafka, name)] == [b"kept"]
    uncommitted = read_all(kafka, name, isolation="read_uncommitted")
    assert [record.value for record in uncommitted] == [b"kept", b"gone"]


def test_committed_offsets_are_seen_by_partition(kafka: str, topic: MakeTopic) -> None:
    """Only the partitions that a group has committed are reported."""
    name = topic(partitions=3)
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": name})
    consumer.commit(offsets=[TopicPartition(name, 1, 7)], asynchronous=False)
    consumer.close()
    assert committed(kafka, name, name) == {1: 7}


def test_waiting_for_missing_records_fails(kafka: str, topic: MakeTopic) -> None:
    """A record that never comes is a failure that says how many came."""
    name = topic(partitions=1)
    produce(kafka, name, [Record(b"only")])
    with pytest.raises(AssertionError, match="1 records of"):
        read_all(kafka, name, until=2, timeout_s=1.0)


def test_a_topic_can_be_compacted_within_a_test(kafka: str, topic: MakeTopic) -> None:
    """With short segments, older values of a key disappear within seconds and leave gaps."""
    config = {
        "cleanup.policy": "compact",
        "segment.ms": "100",
        "min.cleanable.dirty.ratio": "0.01",
        "max.compaction.lag.ms": "100",
    }
    name = topic(partitions=1, config=config)
    produce(kafka, name, [Record(b"%d" % number, b"k") for number in range(100)])
    deadline = time.monotonic() + PATIENCE_S
    while len(found := read_all(kafka, name)) >= 100:
        assert time.monotonic() < deadline, f"not compacted within {PATIENCE_S:.0f} s"
        produce(kafka, name, [Record(b"last", b"k")])
    assert found[0].offset > 0
    assert found[-1].value == b"last"


@pytest.mark.long
def test_data_survive_a_kill_and_a_stop(own_kafka: RealKafka) -> None:
    """Records are there after SIGKILL and after SIGTERM, at the same address."""
    address = own_kafka.bootstrap
    create_topic(address, "kept", 1)
    produce(address, "kept", [Record(b"first")])
    own_kafka.kill()
    own_kafka.start()
    produce(address, "kept", [Record(b"second")])
    own_kafka.stop()
    assert own_kafka.pid is None
    own_kafka.start()
    assert own_kafka.bootstrap == address
    assert [record.value for record in read_all(address, "kept")] == [b"first", b"second"]


@pytest.mark.long
def test_properties_and_listeners_take_effect() -> None:
    """A property reaches the server, and a listener is advertised with the port of its proxy."""
    try:
        own = RealKafka({"message.max.bytes": "5000"}, [Listener("PROXIED", advertised_port=1)])
    except KafkaUnavailable as reason:
        unavailable(str(reason))
    # Nobody listens on port 1: a client that has heard of it may wait there for ever.
    told: list[int] = []

    def is_told() -> bool:
        asking = AdminClient({"bootstrap.servers": own.address("PROXIED"), "log_level": 0})
        with contextlib.suppress(KafkaException):
            told[:] = [broker.port for broker in asking.list_topics(timeout=5).brokers.values()]
        return bool(told)

    with own:
        create_topic(own.bootstrap, "small", 1)
        with pytest.raises(AssertionError, match="MSG_SIZE_TOO_LARGE"):
            produce(own.bootstrap, "small", [Record(b"x" * 6_000)])
        until(is_told)
        assert told == [1]


def test_settings_that_kafka_refuses_are_shown() -> None:
    """A broker that cannot start says why, with the end of its own log."""
    try:
        own = RealKafka({"num.io.threads": "none"})
    except KafkaUnavailable as reason:
        unavailable(str(reason))
    with pytest.raises(RuntimeError, match=r"num\.io\.threads"), own:
        pass
    assert not own.folder.exists()


def test_the_command_says_what_it_is() -> None:
    """``python -m tests.broker --help`` starts nothing."""
    command = [sys.executable, "-m", "tests.broker", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert (done.stderr, "prints its address" in " ".join(done.stdout.split())) == ("", True)
