"""Members of a JSON list: counted and cut as a JSON reader does, at a fraction of its time."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.codec.strategies import TEXT, VALUES
from worker.web.answers import Refusal
from worker.web.events import split
from worker.web.members import Members

NASTY = st.sampled_from(["\\", '"', '\\"', ",", "[", "]}", '",', "\\\\", '\\\\",[', "ü"])
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


@given(st.lists(VALUES | NASTY, max_size=6), st.sampled_from([None, 0, 1]), st.booleans())
def test_the_members_of_a_list(items: list[Any], indent: int | None, ascii_only: bool) -> None:
    """The same pieces as msgspec's, whatever stands in strings and between members."""
    body = json.dumps(items, indent=indent, ensure_ascii=ascii_only).encode()
    members = Members.of(body)
    expected = [bytes(one) for one in _list(body)]
    assert (len(members), list(members.pieces())) == (len(items), expected)
    assert members.first() == (expected[0] if expected else b"")


@given(st.dictionaries(TEXT | NASTY, VALUES | NASTY, max_size=6))
def test_the_members_of_an_object(event: dict[str, Any]) -> None:
    """Each is its key and its value."""
    pieces = Members.of(json.dumps(event).encode()).pieces()
    assert [json.loads(b"{%b}" % piece) for piece in pieces] == [{k: v} for k, v in event.items()]


@given(st.lists(VALUES, max_size=9), st.integers(1, 4))
def test_members_in_groups(items: list[Any], size: int) -> None:
    """So many to a piece; the last may have less."""
    pieces = Members.of(json.dumps(items).encode()).pieces(size)
    groups = [items[i : i + size] for i in range(0, len(items), size)]
    assert [json.loads(b"[%b]" % piece) for piece in pieces] == groups


@pytest.mark.parametrize("body", [b"", b"[1", b"[1,]", b"[1]2", b"[}", b'["a]', b"{1}"])
def test_what_is_no_json(body: bytes) -> None:
    """The error of the JSON decoder."""
    with pytest.raises(msgspec.DecodeError):
        Members.of(body)


def test_too_many_are_refused_without_an_object_for_each() -> None:
    """500,000 numbers, 1 MB, need less than 20 MB until they are refused; as objects 32 MB."""
    body = b"[" + b",".join([b"1"] * 500_000) + b"]"

    def refused() -> None:
        with pytest.raises(Refusal, match="500000 events are more than 10000"):
            split(body, 10_000)

    assert peak_bytes(refused) < 20_000_000 < peak_bytes(lambda: _list(body))


def peak_bytes(work: Callable[[], object]) -> int:
    """The most that was allocated at one time."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
