"""``rtml consume``."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.cli.conftest import ROOT, Done, Rtml
from tests.kafka.client import Record, produce
from worker.stream.embedded import EmbeddedBroker

AT_MS = 1_700_000_000_000
HEADERS: list[tuple[str, bytes | None]] = [("rtml-service", b"fraud"), ("x", None), ("x", b"\xff")]
RECORDS = [
    Record(b'{"a": 1}', b"k1", HEADERS, AT_MS, partition=0),
    Record(b'{\r\n"a":\n2}', b"\xff", [], AT_MS + 1, partition=0),
    Record(b"no json", None, [], AT_MS + 2, partition=0),
    Record(b"\xff\x00", None, [], AT_MS + 3, partition=0),
    Record(None, b"", [], AT_MS + 4, partition=0),
]


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    """A broker with `RECORDS` in ``tx``, two numbers in ``numbers``, and an ``empty`` topic."""
    with EmbeddedBroker({"tx": 1, "numbers": 2, "empty": 2}) as started:
        produce(started.bootstrap, "tx", RECORDS)
        produce(
            started.bootstrap, "numbers", [Record(b"0", partition=0), Record(b"1", partition=1)]
        )
        yield started


def test_values_are_printed_as_they_are(broker: EmbeddedBroker) -> None:
    """One after the other, byte by byte; a tombstone is null."""
    command = [sys.executable, "-m", "worker", "consume", "tx", "-n", "5"]
    done = subprocess.run(
        [*command, "--brokers", broker.bootstrap], cwd=ROOT, capture_output=True, check=True
    )
    assert done.stdout == b'{"a": 1}\n{\r\n"a":\n2}\nno json\n\xff\x00\nnull\n'
    assert done.stderr == b"reading tx from its beginning; Ctrl-C stops\n"


def test_n_records_are_enough(rtml: Rtml, broker: EmbeddedBroker) -> None:
    """-n stops after exactly so many."""
    done = rtml("consume", "tx", "-n", "1", "--brokers", broker.bootstrap)
    assert (done.code, done.out) == (0, '{"a": 1}\n')


def test_every_partition_is_read(rtml: Rtml, broker: EmbeddedBroker) -> None:
    """Records of all partitions come; without -n, silence for --timeout seconds is the end."""
    done = rtml("consume", "numbers", "--timeout", "1", "--brokers", broker.bootstrap)
    assert (done.code, sorted(done.out.split())) == (0, ["0", "1"])


def test_headers_stand_before_the_value(rtml: Rtml, broker: EmbeddedBroker) -> None:
    """name=value of each, a tab, then the value; no header leaves the tab."""
    done = rtml("consume", "tx", "-n", "2", "--headers", "--brokers", broker.bootstrap)
    first, second, *_ = done.out.split("\n")
    assert first.startswith("rtml-service=fraud x= x=")
    assert first.endswith('\t{"a": 1}')
    assert second == "\t{\r"


def test_json_holds_everything(rtml: Rtml, broker: EmbeddedBroker) -> None:
    """An object per line: JSON values as they are, other text as text, other bytes as base64."""
    done = rtml("consume", "tx", "-n", "5", "-o", "json", "--brokers", broker.bootstrap)
    found = [json.loads(line) for line in done.out.splitlines()]
    values = [{"a": 1}, {"a": 2}, "no json", {"base64": "/wA="}, None]
    assert [record["value"] for record in found] == values
    assert [record["key"] for record in found] == ["k1", {"base64": "/w=="}, None, None, ""]
    assert found[0] == {
        "topic": "tx",
        "partition": 0,
        "offset": 0,
        "timestamp": AT_MS,
        "key": "k1",
        "headers": [
            {"name": "rtml-service", "value": "fraud"},
            {"name": "x", "value": None},
            {"name": "x", "value": {"base64": "/w=="}},
        ],
        "value": {"a": 1},
    }


def test_too_few_records_are_an_answer_of_no(rtml: Rtml, broker: EmbeddedBroker) -> None:
    """-n with a --timeout that comes first: exit 1, and how many there were."""
    done = rtml("consume", "numbers", "-n", "3", "--timeout", "1", "--brokers", broker.bootstrap)
    assert (done.code, len(done.out.split())) == (1, 2)
    assert done.err.endswith("2 of 3 records; nothing more came for 1 s\n")


def test_a_missing_topic_is_refused(rtml: Rtml, broker: EmbeddedBroker) -> None:
    """Exit 2 with the nearest name and the way to make it."""
    done = rtml("consume", "number", "--brokers", broker.bootstrap)
    assert (done.code, done.out) == (2, "")
    assert "topic 'number' does not exist; did you mean 'numbers'?" in done.err
    assert "rtml topics create" in done.err


def test_what_comes_later_is_read_until_ctrl_c(broker: EmbeddedBroker) -> None:
    """--from latest leaves out what was there; Ctrl-C ends it with exit 130 and no traceback."""
    broker.create_topic("later", 2)
    produce(broker.bootstrap, "later", [Record(b"before", partition=1)])
    command = [sys.executable, "-m", "worker", "consume", "later", "--from", "latest"]
    running = subprocess.Popen(
        [*command, "--brokers", broker.bootstrap],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert running.stdout is not None
    assert running.stderr is not None
    assert running.stderr.readline() == b"reading later from its end; Ctrl-C stops\n"
    produce(broker.bootstrap, "later", [Record(b"after", partition=1)])
    assert running.stdout.readline() == b"after\n"
    running.send_signal(signal.SIGINT)
    assert running.communicate(timeout=60) == (b"", b"")
    assert running.returncode == 130


def test_a_reader_that_has_enough_ends_it(
    shell: Callable[[str], Done], broker: EmbeddedBroker
) -> None:
    """``| head -1`` ends the command quietly, although more records come."""
    produce(broker.bootstrap, "empty", [Record(b"x" * 1_000) for _ in range(3_000)])
    done = shell(f"rtml consume empty --brokers {broker.bootstrap} | head -1")
    assert (done.code, done.out) == (0, "x" * 1_000 + "\n")
    assert done.err == "reading empty from its beginning; Ctrl-C stops\n"
