"""The commit frontier: it never passes an outcome that is not acknowledged."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from worker.stream.frontier import Frontier, Span


def test_it_moves_over_what_is_done_in_order() -> None:
    """A span that is done early waits for those before it."""
    frontier = Frontier(10)
    first, second, third = frontier.take(12, 2), frontier.take(20, 5), frontier.take(21, 1)
    frontier.done(second)
    assert (frontier.position, frontier.in_flight) == (10, 8)
    frontier.done(first)
    assert (frontier.position, frontier.in_flight) == (20, 1)
    frontier.done(third)
    assert (frontier.position, frontier.in_flight, frontier.taken) == (21, 0, 21)


@pytest.mark.parametrize("end", [10, 12])
def test_records_that_come_twice_are_an_error(end: int) -> None:
    """Offsets that were taken are not taken again."""
    frontier = Frontier(10)
    frontier.take(12, 2)
    with pytest.raises(ValueError, match="was taken before"):
        frontier.take(end, 1)


def test_what_is_done_after_a_rewind_changes_nothing() -> None:
    """An acknowledgement that belongs to what was given up does not move the frontier."""
    frontier = Frontier(0)
    frontier.done(frontier.take(3, 3))
    late = frontier.take(5, 2)
    assert frontier.rewind() == 3
    again = frontier.take(4, 1)
    frontier.done(late)
    assert (frontier.position, frontier.in_flight) == (3, 1)
    frontier.done(again)
    assert frontier.position == 4


def test_what_was_taken_last_is_put_back() -> None:
    """It is taken again, from behind what is in work before it; nothing else can be put back."""
    frontier = Frontier(0)
    first, second = frontier.take(3, 3), frontier.take(9, 2)
    frontier.put_back(first)
    assert (frontier.taken, frontier.in_flight) == (9, 5)
    frontier.put_back(second)
    frontier.put_back(second)
    assert (frontier.taken, frontier.in_flight) == (3, 3)
    frontier.take(9, 2)
    frontier.done(first)
    assert (frontier.position, frontier.in_flight) == (3, 2)


def test_offsets_without_records_are_skipped_only_when_nothing_is_in_work() -> None:
    """Transaction markers at the end of the log do not hold it up, but nothing overtakes."""
    frontier = Frontier(0)
    span = frontier.take(3, 3)
    frontier.skip(5)
    assert (frontier.position, frontier.taken) == (0, 3)
    frontier.done(span)
    frontier.skip(5)
    assert (frontier.position, frontier.taken) == (5, 5)
    frontier.skip(4)
    assert frontier.position == 5


class FrontierMachine(RuleBasedStateMachine):
    """Any order of takes, acknowledgements, rewinds and skips, beside a naive account."""

    def __init__(self) -> None:
        super().__init__()
        self.frontier = Frontier(0)
        self.work: list[tuple[int, Span]] = []  # where each begins, in order
        self.dead: list[Span] = []
        self.next = 0
        self.highest = 0

    @rule(gap=st.integers(0, 3), events=st.integers(1, 5))
    def take(self, gap: int, events: int) -> None:
        """Records come, maybe after a gap."""
        start = self.next
        self.next += gap + events
        self.work.append((start, self.frontier.take(self.next, events)))

    @precondition(lambda self: self.work)
    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        """Any span in work is acknowledged, in any order."""
        self.frontier.done(data.draw(st.sampled_from(self.work))[1])

    @precondition(lambda self: self.dead)
    @rule(data=st.data())
    def acknowledge_late(self, data: st.DataObject) -> None:
        """Something that was given up is acknowledged."""
        self.frontier.done(data.draw(st.sampled_from(self.dead)))

    @rule()
    def rewind(self) -> None:
        """Everything in work is given up."""
        self.dead += [span for _, span in self.work if not span.done]
        self.next = self.frontier.rewind()
        self.work.clear()

    @precondition(lambda self: self.work and not self.work[-1][1].done)
    @rule()
    def put_back(self) -> None:
        """What was taken last is to be taken again."""
        self.frontier.put_back(self.work.pop()[1])
        self.next = self.frontier.taken

    @precondition(lambda self: self.dead)
    @rule(data=st.data())
    def put_back_late(self, data: st.DataObject) -> None:
        """Something that was given up is put back."""
        self.frontier.put_back(data.draw(st.sampled_from(self.dead)))

    @rule(markers=st.integers(0, 4))
    def skip(self, markers: int) -> None:
        """The consumer's position moves on without a record."""
        if not any(not span.done for _, span in self.work):
            self.next += markers
        self.frontier.skip(self.next)

    @invariant()
    def stands_at_the_first_open_outcome(self) -> None:
        """It is at the start of the oldest span in work, else behind everything taken."""
        undone = [start for start, span in self.work if not span.done]
        assert self.frontier.position == (undone[0] if undone else self.next)

    @invariant()
    def never_moves_back(self) -> None:
        """What may be committed only grows."""
        assert self.frontier.position >= self.highest
        self.highest = self.frontier.position

    @invariant()
    def counts_what_is_in_flight(self) -> None:
        """Records from the first open span on are in flight."""
        places = [i for i, (_, span) in enumerate(self.work) if not span.done]
        behind = self.work[places[0] :] if places else []
        assert self.frontier.in_flight == sum(span.events for _, span in behind)


TestFrontier = FrontierMachine.TestCase
