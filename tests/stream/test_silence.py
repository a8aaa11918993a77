"""When the answer to a request is overdue."""

from __future__ import annotations

import math

import pytest
from aiokafka.protocol.admin import CreateTopicsRequest_v1
from aiokafka.protocol.fetch import FetchRequest_v0
from aiokafka.protocol.group import HeartbeatRequest_v0, JoinGroupRequest_v0, SyncGroupRequest_v0
from aiokafka.protocol.produce import ProduceRequest_v0

from worker.stream.silence import (
    LOOK_S,
    PATIENCE_S,
    REMEMBERED_S,
    SAME_S,
    SLOWEST_BYTES_PER_S,
    Closings,
    Silence,
    patience_s,
)

_HEARTBEAT = HeartbeatRequest_v0("group", 1, "member")


def test_a_short_request_is_answered_within_the_patience() -> None:
    """Its own bytes add next to nothing."""
    assert PATIENCE_S <= patience_s(_HEARTBEAT) < PATIENCE_S + 0.01


def test_a_fetch_may_wait_for_events_as_long_as_it_says() -> None:
    """The broker holds it back until then."""
    fetch = FetchRequest_v0(-1, 3_000, 1, [])
    assert patience_s(fetch) == pytest.approx(PATIENCE_S + 3, abs=0.01)


def test_a_long_request_has_the_time_that_a_slow_line_needs() -> None:
    """A megabyte takes a minute."""
    produce = ProduceRequest_v0(-1, 40_000, [("t", [(0, bytes(1_000_000))])])
    assert patience_s(produce) == pytest.approx(
        PATIENCE_S + 1_000_000 / SLOWEST_BYTES_PER_S, abs=0.01
    )


def test_what_waits_for_others_is_never_overdue() -> None:
    """Members that join, and brokers that make a topic, take their time."""
    for request in (
        JoinGroupRequest_v0("group", 10_000, "", "consumer", []),
        SyncGroupRequest_v0("group", 1, "member", []),
        CreateTopicsRequest_v1([], 1_000, False),
    ):
        assert patience_s(request) == math.inf


def test_silence_begins_with_the_request_and_ends_with_any_byte() -> None:
    """An idle connection is quiet and owes nothing; a new request has its whole time."""
    silence = Silence()

    def look(heard: int, due: int | None) -> tuple[float, float]:
        silence.look(heard, due)
        return silence.quiet_s / LOOK_S, silence.owed_s / LOOK_S

    assert look(0, None) == (0, 0)
    assert look(0, None) == (1, 0)
    assert look(0, 7) == (2, 0)
    assert look(0, 7) == (3, 1)
    assert look(0, 8) == (4, 0)
    assert look(0, 8) == (5, 1)
    assert look(1, 8) == (0, 0)  # a byte of the answer to 8
    assert look(1, 8) == (1, 1)
    assert look(1, 8) == (2, 2)


def test_patience_doubles_with_every_closing_and_comes_back() -> None:
    """What one thing broke is closed within seconds, and counts once; ten minutes are enough."""
    closings = Closings()
    assert closings.factor(0.0) == 1
    for now_s in (0.0, 3.0, SAME_S):
        closings.note(now_s)
        assert closings.factor(now_s) == 1
    assert closings.factor(SAME_S + 1) == 2
    closings.note(100.0)
    assert closings.factor(100.0) == 2
    assert closings.factor(100.0 + SAME_S + 1) == 4
    assert closings.factor(REMEMBERED_S + 1) == 2
    assert closings.factor(100.0 + REMEMBERED_S) == 1
