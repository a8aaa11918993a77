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
