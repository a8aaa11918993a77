"""The headers that the worker adds to its records."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace

import pytest

from worker.errors import Fault, Stage
from worker.stream.lineage import MAX_MESSAGE_BYTES, Lineage

LINEAGE = Lineage("fraud", "group", "0123456789ab", "lr.onnx:ba9876543210")
NOW_MS = 1_700_000_000_123
NOW = "2023-11-14T22:13:20.123Z"
FAULT = Fault(3, Stage.VALIDATE, "RangeError", "age: 200 is above 110", "plausible")


@dataclass
class Consumed:
    """A record as it was read."""

    headers: tuple[tuple[str, bytes], ...] = ()
    topic: str = "tx"
    partition: int = 2
    offset: int = 41
    timestamp: int = 1_600_000_000_000
    key: bytes | None = None
    value: bytes | None = b"{}"


def described(record: Consumed, fault: Fault = FAULT) -> dict[str, str]:
    """The dead-letter headers by name; no name may come twice."""
    found = [
        (name.removeprefix("rtml-dlq-"), value.decode(errors="replace"))
        for name, value in LINEAGE.dead_letter(record, fault, NOW_MS)
        if name.startswith("rtml-dlq-")
    ]
    assert len(dict(found)) == len(found)
    return dict(found)


def test_a_scored_record_says_what_made_it() -> None:
    """Service, graph and models; without a model, no header for it."""
    made = [("rtml-service", b"fraud"), ("rtml-graph", b"0123456789ab")]
    assert LINEAGE.scored() == [*made, ("rtml-model", b"lr.onnx:ba9876543210")]
    assert Lineage("fraud", "group", "0123456789ab", "").scored() == made


def test_a_dead_letter_says_everything() -> None:
    """Place, service, reason and time."""
    assert described(Consumed()) == {
        "topic": "tx",
        "partition": "2",
        "offset": "41",
        "timestamp": "1600000000000",
        "group": "group",
        "service": "fraud",
        "graph": "0123456789ab",
        "node": "plausible",
        "stage": "validate",
        "error": "RangeError",
        "message": "age: 200 is above 110",
        "model": "lr.onnx:ba9876543210",
        "attempt": "1",
        "first-at": NOW,
        "at": NOW,
    }
    assert datetime.datetime.fromisoformat(NOW).timestamp() * 1_000 == NOW_MS


def test_what_is_empty_is_left_out() -> None:
    """A fault outside the graph has no node, and not each has a message."""
    fault = Fault(0, Stage.DECODE, "MalformedJson", "")
    found = described(Consumed(), fault)
    assert ("node" in found, "message" in found) == (False, False)


def test_original_headers_stand_first() -> None:
    """With repeated names, in their order."""
    original = (("traceparent", b"1"), ("h", b"a"), ("h", b"b"))
    assert LINEAGE.dead_letter(Consumed(original), FAULT, NOW_MS)[:3] == [*original]


def test_a_dead_letter_that_comes_back_is_counted_on() -> None:
    """The attempt grows, the first time and the replay stay; old reasons are replaced."""
    original = (
        ("h", b"a"),
        ("rtml-dlq-attempt", b"4"),
        ("rtml-dlq-first-at", b"2020-01-01T00:00:00.000Z"),
        ("rtml-dlq-error", b"Other"),
        ("rtml-dlq-replay-of", b"tx-dlq/0/7"),
    )
    found = described(Consumed(original))
    assert (found["attempt"], found["first-at"]) == ("5", "2020-01-01T00:00:00.000Z")
    assert (found["at"], found["error"], found["replay-of"]) == (NOW, "RangeError", "tx-dlq/0/7")


def test_a_brief_letter_says_what_stands_nowhere_else() -> None:
    """Where the event is, why it is here, how often it was, and which letter it was before."""
    record = Consumed((("rtml-dlq-replay-of", b"tx-dlq/0/7"), ("rtml-dlq-attempt", b"1")))
    found = LINEAGE.dead_letter(record, FAULT, NOW_MS, brief=True)
    place = ("topic", "partition", "offset", "timestamp")
    wanted = {*place, "stage", "error", "attempt", "replay-of"}
    assert {name.removeprefix("rtml-dlq-") for name, _ in found} == wanted


def test_a_letter_without_its_content_says_so() -> None:
    """The headers of the record are left out, and named among what is."""
    record = Consumed((("h", b"a"),))
    found = dict(LINEAGE.dead_letter(record, FAULT, NOW_MS, omitted=("key", "headers")))
    assert "h" not in found
    assert found["rtml-dlq-omitted"] == b"key,headers"


def test_letters_of_one_batch_do_not_mix() -> None:
    """Other partitions, times and services are told as they are, whatever was told before."""
    other = replace(LINEAGE, service="churn")
    calls = [
        (LINEAGE, 2, NOW_MS),
        (LINEAGE, 3, NOW_MS),
        (LINEAGE, 2, NOW_MS + 1),
        (other, 2, NOW_MS),
    ]
    told = [
        dict(lineage.dead_letter(Consumed(partition=partition), FAULT, now_ms))
        for lineage, partition, now_ms in [*calls, *calls]
    ]
    assert told[:4] == told[4:]
    differing = [("partition", b"3"), ("at", b"2023-11-14T22:13:20.124Z"), ("service", b"churn")]
    for (name, value), found in zip(differing, told[1:4], strict=True):
        assert found[f"rtml-dlq-{name}"] == value
        assert told[0][f"rtml-dlq-{name}"] != value


@pytest.mark.parametrize("value", [None, b"", b"-1", b"\xff", b"9" * 50, "²".encode()])
def test_foreign_values_in_our_headers_do_no_harm(value: bytes) -> None:
    """Anybody can write headers: what is no number counts as none, null is no time."""
    names = ("attempt", "first-at", "replay-of", "at")
    found = described(Consumed(tuple((f"rtml-dlq-{name}", value) for name in names)))
    assert (found["attempt"], found["at"]) == ("1", NOW)
    assert found["first-at"] == ((value or b"").decode(errors="replace") or NOW)


def test_a_message_is_bounded() -> None:
    """It is cut at 1,024 bytes and stays valid UTF-8."""
    fault = Fault(0, Stage.NODE, "NodeError", "ä" * 1_000 + "x", "n")
    assert described(Consumed(), fault)["message"] == "ä" * (MAX_MESSAGE_BYTES // 2)
