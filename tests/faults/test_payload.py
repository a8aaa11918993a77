"""Events that prove themselves."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from faults.payload import event, is_whole, record
from tests.kafka.client import Stored


def scored(value: bytes, key: bytes = b"key-7") -> Stored:
    """A scored record as it stands in Kafka."""
    return Stored("out", 0, 0, key, value[:-1] + b',"score":0.5}', [], 1)


def test_an_event_is_json_with_key_number_and_digest() -> None:
    """It is what its record says, and the digest covers the rest."""
    found = json.loads(record(7, f0=6).value or b"")
    assert (found["key"], found["seq"], found["f0"], len(found["sha256"])) == ("key-7", 7, 6, 64)


def test_a_whole_event_is_told_by_itself() -> None:
    """What the worker adds behind the digest does not matter."""
    assert is_whole(scored(event(7, "key-7", v="1,2")))


@pytest.mark.parametrize(
    "damaged",
    [
        scored(event(7, "key-7").replace(b'"seq": 7', b'"seq": 8')),
        scored(event(7, "key-7").replace(b'"f0"', b'"f2"')),
        scored(event(7, "key-8")),
        scored(b'{"f0": 1}'),
        replace(scored(b"{}"), value=None),
    ],
    ids=["number", "name", "another's key", "no digest", "nothing"],
)
def test_damage_is_told(damaged: Stored) -> None:
    """A changed bit, another event's key, and what never was an event of ours."""
    assert not is_whole(damaged)
