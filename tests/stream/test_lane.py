"""A lane: what the worker holds for a partition while it is assigned."""

from __future__ import annotations

import asyncio

from aiokafka import TopicPartition

from worker.stream.lane import Lane

PARTITION = TopicPartition("tx", 0)


def test_a_new_group_commits_where_it_begins() -> None:
    """Without a committed offset the start itself is committed, so that a restart keeps it."""
    assert Lane(PARTITION, 7, None).to_commit == 7


def test_nothing_is_committed_twice() -> None:
    """The frontier is committed only where it has moved."""
    lane = Lane(PARTITION, 7, 7)
    due = [lane.to_commit]
    lane.done(lane.take(9, 2, 0))
    due.append(lane.to_commit)
    lane.committed = 9
    due.append(lane.to_commit)
    assert due == [None, 9, None]


def test_idle_returns_when_all_is_done() -> None:
    """It waits for what is in work, and for nothing where nothing is."""

    async def run() -> list[bool]:
        lane = Lane(PARTITION, 0, None)
        await lane.idle()
        first, second = lane.take(1, 1, 0), lane.take(2, 1, 0)
        waiting = asyncio.create_task(lane.idle())
        seen = []
        for span in (second, first):
            await asyncio.sleep(0)
            seen.append(waiting.done())
            lane.done(span)
        await waiting
        return seen

    assert asyncio.run(run()) == [False, False]


def test_a_rewind_ends_the_waiting() -> None:
    """What is given up is waited for no longer, and reading begins again at the frontier."""

    async def run() -> int:
        lane = Lane(PARTITION, 3, None)
        lane.take(5, 2, 0)
        start = lane.rewind()
        await lane.idle()
        return start

    assert asyncio.run(run()) == 3


def test_a_restart_goes_on_elsewhere() -> None:
    """From another offset, with nothing in work."""
    lane = Lane(PARTITION, 3, 3)
    lane.restart(50)
    assert (lane.frontier.taken, lane.to_commit, lane.frontier.in_flight) == (50, 50, 0)


def test_a_frontier_that_stays_is_noticed() -> None:
    """It counts as moved when it moves, and as long as nothing lies before it."""
    lane = Lane(PARTITION, 3, None)
    seen = []
    lane.note(0, 10.0)
    seen.append(lane.moved_s)
    lane.note(5, 20.0)
    seen.append(lane.moved_s)
    lane.done(lane.take(5, 2, 0))
    lane.note(3, 30.0)
    seen.append(lane.moved_s)
    lane.note(3, 40.0)
    seen.append(lane.moved_s)
    assert seen == [10.0, 10.0, 30.0, 30.0]


def test_lateness_is_the_age_of_the_oldest_event_in_work() -> None:
    """Its timestamp counts; where none is in work, the time since the frontier moved."""
    lane = Lane(PARTITION, 0, None)
    lane.note(0, 10.0)
    waiting = lane.late_s(12.0, 100_000)
    lane.take(1, 1, 40_000)
    lane.take(2, 1, 90_000)
    assert (waiting, lane.late_s(12.0, 100_000)) == (2.0, 60.0)


def test_what_is_put_back_is_waited_for_no_longer() -> None:
    """The lane is idle once what was taken before is done, and reading begins behind that."""

    async def run() -> tuple[bool, int]:
        lane = Lane(PARTITION, 0, None)
        first, second = lane.take(4, 4, 0), lane.take(6, 2, 0)
        start = lane.put_back(second)
        at_rest = lane.at_rest
        lane.done(first)
        await lane.idle()
        return at_rest, start

    assert asyncio.run(run()) == (False, 4)
