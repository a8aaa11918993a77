"""``rtml produce``."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Rtml
from tests.kafka.client import Stored, read_all
from tests.net import free_ports
from worker.stream.embedded import EmbeddedBroker


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    """A broker for topics of each test's own."""
    with EmbeddedBroker() as started:
        yield started


@pytest.fixture
def topic(broker: EmbeddedBroker, request: pytest.FixtureRequest) -> str:
    """A topic with 3 partitions, called like the test."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name)
    broker.create_topic(name, 3)
    return name


def stored(broker: EmbeddedBroker, topic: str) -> list[Stored]:
    """What is in the topic."""
    return read_all(broker.bootstrap, topic)


def values(broker: EmbeddedBroker, topic: str) -> set[bytes | None]:
    """The values in the topic."""
    return {record.value for record in stored(broker, topic)}


def test_a_file_arrives_byte_by_byte(
    rtml: Rtml, broker: EmbeddedBroker, topic: str, tmp_path: Path
) -> None:
    """Each line is one event as it stands there, JSON or not; the last needs no line's end."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"a":  1}\n\xff\xfe\nno json')
    done = rtml("produce", topic, path, "--brokers", broker.bootstrap)
    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(rf"sent 3 to {topic} in \d+\.\d s\n", done.out)
    assert values(broker, topic) == {b'{"a":  1}', b"\xff\xfe", b"no json"}


def test_keys_keep_an_order(rtml: Rtml, broker: EmbeddedBroker, topic: str) -> None:
    """With --key, the events of a key stand in one partition in their order."""
    lines = [b'{"who": {"id": "k%d"}, "i": %d}' % (i % 7, i) for i in range(100)]
    options = ("--key", "who.id", "--brokers", broker.bootstrap)
    assert rtml("produce", topic, *options, stdin=b"\n".join(lines)).code == 0
    found = stored(broker, topic)
    for number in range(7):
        of_key = [record for record in found if record.key == b"k%d" % number]
        assert [record.value for record in of_key] == lines[number::7]
        assert len({record.partition for record in of_key}) == 1
    assert len({record.partition for record in found}) > 1


def test_samples_are_simulated_at_a_rate(rtml: Rtml, broker: EmbeddedBroker, topic: str) -> None:
    """--simulate sends the graph's own events, over and over; the i-th not before i / rate."""
    options = ("--simulate", "graphs/digits", "--events", "460", "--rate", "1000", "-o", "json")
    done = rtml("produce", topic, *options, "--brokers", broker.bootstrap)
    assert (done.code, done.err) == (0, "")
    assert (done.json["sent"], done.json["failed"]) == (460, 0)
    assert done.json["seconds"] >= 459 / 1_000
    lines = (ROOT / "graphs/digits/events.jsonl").read_bytes().splitlines()
    assert sorted(record.value or b"" for record in stored(broker, topic)) == sorted(
        [*lines, *lines[:10]]
    )


def test_a_bad_file_sends_nothing(
    rtml: Rtml, broker: EmbeddedBroker, topic: str, tmp_path: Path
) -> None:
    """An empty line, anywhere in a file: exit 2, its number, and nothing was sent."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"{}\n{}\n\n{}\n")
    done = rtml("produce", topic, path, "--brokers", broker.bootstrap)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"{path}:3 an empty line is no event\n1 problem\n"
    assert stored(broker, topic) == []


def test_a_bad_line_ends_a_stream(rtml: Rtml, broker: EmbeddedBroker, topic: str) -> None:
    """Of a pipe, what stands before the bad line is sent, and said to be."""
    options = ("--key", "id", "--brokers", broker.bootstrap)
    done = rtml("produce", topic, *options, stdin=b'{"id": 1}\n{"id": 2}\n{}\n{"id": 4}\n')
    assert (done.code, done.err) == (2, "stdin:3 no 'id' to take the key from\n1 problem\n")
    assert done.out.startswith("sent 2 ")
    assert {record.key for record in stored(broker, topic)} == {b"1", b"2"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.jsonl"], "none.jsonl cannot be read: No such file or directory"),
        (["a", "--simulate", "b"], "FILE and --simulate exclude each other"),
        (["--simulate", "tests/data"], "there is no graph.yaml in this folder"),
        (["--simulate", "tests/data/lr.onnx"], "lr.onnx cannot be read: is not UTF-8 text"),
    ],
)
def test_wrong_arguments_are_refused(
    rtml: Rtml, broker: EmbeddedBroker, arguments: list[str], message: str
) -> None:
    """Exit 2 and the reason."""
    done = rtml("produce", "tx", *arguments, "--brokers", broker.bootstrap)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_a_topic_that_is_missing_is_not_made(
    rtml: Rtml, broker: EmbeddedBroker, topic: str
) -> None:
    """Exit 2, with the nearest name; a second try finds it missing still."""
    for _ in range(2):
        done = rtml("produce", f"{topic}s", "--brokers", broker.bootstrap, stdin=b"{}\n")
        assert (done.code, done.out) == (2, "")
        assert f"topic '{topic}s' does not exist; did you mean '{topic}'?" in done.err


@pytest.mark.parametrize("command", [["produce", "tx"], ["consume", "tx"]])
def test_kafka_that_is_not_there_is_told(rtml: Rtml, command: list[str]) -> None:
    """After --wait seconds: exit 3, with the address and the reason."""
    (port,) = free_ports(1)
    done = rtml(*command, "--brokers", f"127.0.0.1:{port}", "--wait", "0")
    assert (done.code, done.out) == (3, "")
    assert f"cannot reach Kafka at 127.0.0.1:{port}: " in done.err
    assert "Connection refused" in done.err


def test_a_broker_that_goes_away_ends_it() -> None:
    """An event that is not acknowledged within --wait seconds: exit 3, and how many were not."""
    with EmbeddedBroker({"tx": 1}) as own:
        address = own.bootstrap
        running = subprocess.Popen(
            [sys.executable, "-m", "worker", "produce", "tx", "--brokers", address, "--wait", "1"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert running.stdin is not None
        running.stdin.write(b"{}\n")
        running.stdin.flush()
        read_all(address, "tx", until=1)
    out, err = running.communicate(b"{}\n{}\n", timeout=60)
    assert running.returncode == 3
    assert out.startswith(b"sent 1 to tx")
    assert b"2 events not sent: " in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_endless_simulation_can_be_stopped(
    broker: EmbeddedBroker, topic: str, number: signal.Signals
) -> None:
    """Ctrl-C and SIGTERM: exit 130 once everything sent is acknowledged, and how much that is."""
    command = ["produce", topic, "--simulate", "graphs/digits", "--brokers", broker.bootstrap]
    running = subprocess.Popen(
        [sys.executable, "-m", "worker", *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    read_all(broker.bootstrap, topic, until=1)
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (130, b"")
    assert out.startswith(b"sent %d to" % len(stored(broker, topic)))
