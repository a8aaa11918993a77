"""The circuit breaker: when it opens, how long it rests, what closes it."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.stream.breaker import DOUBLINGS, MINIMA, Breaker, Rule, Window

RULE = Rule(percent=50, min_events=100, window_s=10.0, cooldown_s=1.0)
SPAN_S, LEAST, MOST = 10.0, 50, 200
SLACK = MOST // 10 + 150
"""A part of the window: a tenth, and the batch that fills it."""

Batch = tuple[float, int, int]
"""Seconds since the one before, events, and how many of them broke."""


@st.composite
def batches(draw: st.DrawFn, most_percent: int = 100, least_percent: int = 0) -> list[Batch]:
    """Some batches, in each of which so many percent of the events break."""
    found: list[Batch] = []
    for _ in range(draw(st.integers(1, 40))):
        events = draw(st.integers(1, 150))
        least = -(-events * least_percent // 100)
        broken = draw(st.integers(least, max(least, events * most_percent // 100)))
        found.append((draw(st.sampled_from([0.0, 0.01, 0.5, 3.0, 11.0])), events, broken))
    return found


@given(batches())
def test_the_window_holds_the_latest_events(given: list[Batch]) -> None:
    """Whole batches: those of its span, at least the least and at most the most, give a part."""
    window, now_s, seen = Window(SPAN_S, LEAST, MOST), 0.0, []
    for pause_s, events, broken in given:
        now_s += pause_s
        seen.append((now_s, events, broken))
        window.add(events, broken, now_s)
        latest = list(accumulate(reversed(seen), lambda a, b: (b[0], a[1] + b[1], a[2] + b[2])))
        assert (window.events, window.broken) in [part[1:] for part in latest]
        young = sum(one[1] for one in seen if now_s - one[0] < SPAN_S)
        certain = sum(one[1] for one in seen if now_s - one[0] < 0.9 * SPAN_S)
        assert window.events >= min(sum(one[1] for one in seen), LEAST)
        assert window.events >= min(certain, MOST) - SLACK
        assert window.events <= min(max(young, LEAST), MOST) + SLACK


@given(batches(most_percent=50))
def test_what_is_not_too_much_never_opens_it(given: list[Batch]) -> None:
    """In no batch more than the percentage: all go on."""
    breaker, now_s = Breaker(RULE), 0.0
    for pause_s, events, broken in given:
        now_s += pause_s
        assert breaker.judge(events, broken, now_s)
    assert breaker.until_s is None


@given(batches())
def test_a_hundred_percent_never_opens_it(given: list[Batch]) -> None:
    """That switches it off, whatever breaks."""
    breaker, now_s = Breaker(replace(RULE, percent=100)), 0.0
    for pause_s, events, broken in given:
        now_s += pause_s
        assert breaker.judge(events, broken, now_s)


@given(batches(least_percent=100))
def test_where_everything_breaks_less_than_the_minimum_goes_on(given: list[Batch]) -> None:
    """However the batches come, before it opens and by all the probes after that together."""
    breaker, now_s, gone = Breaker(RULE), 0.0, 0
    for pause_s, events, broken in given:
        now_s = max(now_s + pause_s, breaker.until_s or 0.0)
        gone += events if breaker.judge(events, broken, now_s) else 0
    assert gone < RULE.min_events


@given(batches())
def test_what_goes_on_is_not_too_much(given: list[Batch]) -> None:
    """While it stays closed the window's share is within the rule, once the window has enough."""
    breaker, now_s = Breaker(RULE), 0.0
    since: list[tuple[int, int]] = []
    for _, events, broken in given:  # all at one time, so that the window holds all of them
        if not breaker.judge(events, broken, now_s):
            break
        since.append((events, broken))
        total, bad = (sum(column) for column in zip(*since, strict=True))
        assert total < RULE.min_events or 100 * bad <= RULE.percent * total


@pytest.mark.parametrize(
    ("events", "broken", "goes_on"), [(99, 99, True), (100, 50, True), (100, 51, False)]
)
def test_the_limits(events: int, broken: int, goes_on: bool) -> None:
    """It opens with the minimum of events, where more than the percentage broke."""
    breaker = Breaker(RULE)
    assert breaker.judge(events, broken, 0.0) == goes_on
    assert (breaker.until_s is None) == goes_on


def test_events_grow_old() -> None:
    """What broke longer ago than the window counts no more, once there are enough after it."""
    breaker = Breaker(RULE)
    assert breaker.judge(99, 99, 0.0)
    assert breaker.judge(100, 0, RULE.window_s)
    assert breaker.judge(99, 99, RULE.window_s)
    assert not breaker.judge(2, 2, RULE.window_s)


def test_slow_events_are_judged_as_well() -> None:
    """One a minute, all of which break: so does the breaker, at the hundredth."""
    breaker = Breaker(RULE)
    goes_on = [breaker.judge(1, 1, minute * 60.0) for minute in range(100)]
    assert goes_on == [True] * 99 + [False]


def test_good_times_do_not_keep_it_closed() -> None:
    """After a million good events within the window it opens as soon as half of 10,000 broke."""
    breaker, broke, most = Breaker(RULE), 0, MINIMA * RULE.min_events
    for i in range(500):
        assert breaker.judge(2_000, 0, i * 0.01)
    while breaker.judge(2_000, 2_000, 5.0):
        broke += 2_000
    assert broke <= most // 2 + 2_000


def test_the_pause_is_doubled_up_to_a_bound() -> None:
    """With every probe that fails; between them it rests, at its end it is half open."""
    breaker, now_s, pauses = Breaker(RULE), 0.0, []
    assert not breaker.judge(100, 100, now_s)
    for _ in range(DOUBLINGS + 2):
        assert breaker.until_s is not None
        pauses.append(breaker.until_s - now_s)
        assert breaker.rests(breaker.until_s - 0.01)
        now_s = breaker.until_s
        assert not breaker.rests(now_s)
        assert not breaker.judge(2, 2, now_s)
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 32.0]


def test_a_good_probe_closes_it() -> None:
    """Half of its events may break; the window begins anew, with the probe."""
    breaker = Breaker(RULE)
    assert not breaker.judge(100, 100, 0.0)
    assert breaker.judge(4, 2, 1.0)
    assert (breaker.until_s, breaker.rests(1.0)) == (None, False)
    assert breaker.judge(95, 95, 1.0)
    assert not breaker.judge(1, 1, 1.0)


def test_a_probe_without_events_tells_nothing() -> None:
    """Dropped events, and those rejected for what they are, may go; it is half open still."""
    breaker = Breaker(RULE)
    assert not breaker.judge(100, 100, 0.0)
    assert breaker.judge(0, 0, 1.0)
    assert (breaker.until_s, breaker.rests(1.0)) == (1.0, False)


def test_a_pause_is_short_again_after_good_times() -> None:
    """After a probe that was lucky it rests longer, unless a whole window was good in between."""
    breaker, pauses = Breaker(RULE), []
    for good in (0, 0, 200):
        now_s = breaker.until_s or 0.0
        assert breaker.judge(1, 0, now_s)
        if good:
            assert breaker.judge(good, 0, now_s)
        assert not breaker.judge(1_000, 1_000, now_s)
        assert breaker.until_s is not None
        pauses.append(breaker.until_s - now_s)
    assert pauses == [1.0, 2.0, 1.0]


def test_closed_by_hand_it_knows_nothing() -> None:
    """Another graph, or somebody who says so: as if it had just been made."""
    breaker = Breaker(RULE)
    assert not breaker.judge(100, 100, 0.0)
    assert not breaker.judge(1, 1, 1.0)
    breaker.close()
    assert breaker.judge(99, 99, 1.0)
    assert not breaker.judge(1, 1, 1.0)
    assert breaker.until_s == 2.0
