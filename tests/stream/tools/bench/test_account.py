"""Each event has one outcome: none missing, none twice."""

from __future__ import annotations

from itertools import islice

import pytest

from worker.stream.tools.bench.account import Account, numbered
from worker.stream.tools.read import Stored


def outcome(number: int, topic: str = "scored") -> Stored:
    """What a process wrote of the event of that number."""
    return Stored(topic, 0, 0, 0, b"%d" % number, b"{}", ())


def account(sent: int, numbers: list[int], dropped: int = 0) -> Account:
    """Of a process that was given so many events."""
    found = Account("dead", sent)
    found.ledger.sent, found.ledger.dropped = sent, {"reason": dropped}
    found.note([])
    found.note([outcome(number) for number in numbers])
    return found


@pytest.mark.parametrize(
    ("numbers", "dropped", "complete"),
    [([0, 1, 2], 0, True), ([0, 2], 1, True), ([0, 2], 0, False), ([0, 1, 1], 0, False)],
)
def test_an_event_has_one_outcome(numbers: list[int], dropped: int, complete: bool) -> None:
    """A record twice does not stand for one that is missing."""
    assert account(3, numbers, dropped).complete is complete


def test_what_is_wrong_is_told() -> None:
    """In the words of the ledger, and which came twice."""
    found = account(3, [0, 1, 1])
    found.note([outcome(2, "dead")])
    told = "3 in, but 3 scored + 0 dropped + 1 dead letter: 1 more than came in"
    assert str(found) == f"{told}; 1 came out more than once"


def test_numbers_are_keys() -> None:
    """They go on where the events before ended."""
    assert list(islice(numbered([b"a", b"b"], 7), 5)) == [(b"a", b"7"), (b"b", b"8")]
