"""The headers that the worker adds to its records."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

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
    """A fault outside the graph has no node."""
    fault = Fault(0, Stage.DECODE, "MalformedJson", "no object")
    assert "node" not in described(Consumed(), fault)


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
