"""How large the next batch may be, and where it is scored."""

from __future__ import annotations

from worker.stream.pace import FIRST_BATCH_EVENTS, Pace


def test_the_first_batch_is_small() -> None:
    """It shows how long an event takes, before a large one blocks the loop."""
    assert (Pace(2_048, 900_000).most, Pace(4, 900_000).most) == (FIRST_BATCH_EVENTS, 4)


def test_the_next_batch_fits_the_bytes() -> None:
    """Events of the last one's mean size; never none, never more than allowed."""
    found = []
    for size in (100, 9_000, 2_000_000):
        pace = Pace(2_048, 900_000)
        pace.note([b"x" * size, None, b"x" * size], 0.0)
        found.append(pace.most)
    assert found == [2_048, 150, 1]


def test_a_long_run_is_foreseen_from_one_event_s_time() -> None:
    """A graph of 1 ms per event blocks the loop with ten events, and not with two."""
    pace = Pace(2_048, 900_000)
    pace.note([b"{}"] * 16, 0.016)
    assert (pace.is_long(10), pace.is_long(2)) == (True, False)


def test_an_unknown_graph_is_scored_in_a_thread() -> None:
    """Its first batch, and the first after another graph has taken its place."""
    pace = Pace(2_048, 900_000)
    assert pace.is_long(1)
    pace.note([b"{}"] * 16, 0.0001)
    assert (pace.is_long(100), pace.most) == (False, 2_048)
    pace.forget()
    assert (pace.is_long(1), pace.most) == (True, FIRST_BATCH_EVENTS)


def test_a_batch_takes_no_longer_than_a_second() -> None:
    """30 ms per event: 33 of them; 3 s per event: one."""
    pace = Pace(2_048, 900_000)
    found = []
    for event_s in (0.03, 3.0):
        pace.note([b"{}"] * 16, event_s * 16)
        found.append(pace.most)
    assert found == [33, 1]


def test_a_batch_with_guilty_events_is_read_in_smaller_ones() -> None:
    """A sixteenth, at last one event; then twice as many with each batch."""
    pace, found = Pace(2_048, 900_000), []
    pace.note([b"{}"] * 16, 0.0001)
    for events in (2_048, 128, 8, 1):
        pace.shrink(events)
        found.append(pace.most)
    for _ in range(12):
        pace.note([b"{}"], 0.0001)
        found.append(pace.most)
    assert found == [128, 8, 1, 1, *(2**n for n in range(1, 12)), 2_048]
