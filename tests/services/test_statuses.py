"""Workers that are there, and what they say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.services.support import Record, presence, record, status
from worker.services.registry import STALE_MS, Statuses

NOW_MS = 1_000_000


def read(*found: Record) -> Statuses:
    """The statuses that these records give."""
    statuses = Statuses()
    for key, value in found:
        statuses.apply(key, value)
    return statuses


def live(statuses: Statuses, location: str = "edge") -> list[str]:
    """The workers that are there."""
    return [worker.worker for worker in statuses.live(location, NOW_MS)]


def test_a_silent_worker_is_gone() -> None:
    """One that has not been heard of for `STALE_MS` is not counted, until it is heard again."""
    old = NOW_MS - STALE_MS
    statuses = read(record(presence("a", old)), record(presence("b", old + 1)))
    assert live(statuses) == ["b"]
    statuses.apply(*record(presence("a", NOW_MS)))
    assert sorted(live(statuses)) == ["a", "b"]


def test_a_worker_that_says_goodbye_is_gone_at_once() -> None:
    """Its presence is deleted, and what it said counts no more."""
    here = presence("a", NOW_MS)
    statuses = read(record(here), record(status("fraud", "a")), ("@a", None))
    assert live(statuses) == []


def test_locations_are_apart() -> None:
    """A worker is of one location."""
    statuses = read(record(presence("a", NOW_MS)), record(presence("b", NOW_MS, "hub")))
    assert (live(statuses), live(statuses, "hub")) == (["a"], ["b"])


def test_the_latest_word_counts() -> None:
    """Of each worker and service, and none of those that are not asked about."""
    workers = [presence("a", NOW_MS), presence("b", NOW_MS)]
    statuses = read(
        record(status("fraud", "a", "loading")),
        record(status("fraud", "a", "failed", reason="no")),
        record(status("fraud", "b")),
        record(status("cars", "b")),
        record(status("fraud", "c")),
    )
    found = statuses.of("fraud", workers)
    assert [(one.worker, one.state) for one in found] == [("a", "failed"), ("b", "serving")]
    statuses.apply("fraud@a", None)
    assert [one.worker for one in statuses.of("fraud", workers)] == ["b"]


@given(st.lists(st.tuples(st.text(max_size=8), st.none() | st.binary(max_size=30)), max_size=20))
def test_no_record_stops_the_reading(found: list[Record]) -> None:
    """Whatever stands in the topic, a good record after it is found."""
    statuses = read(*found, record(presence("a", NOW_MS)))
    assert live(statuses) == ["a"]


def test_a_record_under_the_key_of_another() -> None:
    """It says nothing: what its key deletes later would not take it away."""
    (_, here), (_, said) = record(presence("a", NOW_MS)), record(status("fraud", "a"))
    statuses = read(("@b", here), ("cars@a", said))
    assert (live(statuses), statuses.of("cars", [presence("a", NOW_MS)])) == ([], [])


def test_an_old_word_that_comes_last_is_left_out() -> None:
    """A connection that broke may bring it after what was written over the next one."""
    here, newer = presence("a", NOW_MS), status("fraud", "a").model_copy(update={"at_ms": 2})
    older = newer.model_copy(update={"at_ms": 1, "reason": "old"})
    statuses = read(record(here), record(newer), record(older))
    assert statuses.of("fraud", [here]) == [newer]
    again = newer.model_copy(update={"reason": "again"})
    statuses.apply(*record(again))
    assert statuses.of("fraud", [here]) == [again]
