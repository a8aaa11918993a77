"""What the demo counts, and when it says that nothing is missing."""

from __future__ import annotations

import pytest

from worker.stream.tools.ledger import KEPT, Ledger
from worker.stream.tools.read import Header, Stored


def stored(topic: str, *headers: Header) -> Stored:
    """A record of a topic."""
    return Stored(topic, 0, 0, None, None, b"{}", headers)


def test_records_are_counted_by_where_they_are() -> None:
    """Dead letters by stage and error, anything else as scored by topic; the first are kept."""
    ledger = Ledger("dead", sent=KEPT + 4, dropped={"old": 1})
    ledger.note([stored("sink")] * (KEPT + 1))
    ledger.note([stored("other")])
    letter = stored("dead", ("rtml-dlq-stage", b"score"), ("rtml-dlq-error", b"NanScore"))
    ledger.note([letter])
    assert ledger.scored == {"sink": KEPT + 1, "other": 1}
    assert ledger.dead == {("score", "NanScore"): 1}
    assert ledger.first == [stored("sink")] * KEPT
    assert ledger.complete


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        (1_003, "1,003 in = 1,000 scored + 2 dropped + 1 dead letter"),
        (1_004, "1,004 in, but 1,000 scored + 2 dropped + 1 dead letter: 1 missing"),
        (1_000, "1,000 in, but 1,000 scored + 2 dropped + 1 dead letter: 3 more than came in"),
    ],
)
def test_the_sentence_says_what_is_missing(sent: int, sentence: str) -> None:
    """Only one outcome for each event makes an equation; too few and too many are told."""
    ledger = Ledger("dead", sent=sent, dropped={"a": 1, "b": 1})
    ledger.note([stored("sink")] * 1_000 + [stored("dead")])
    assert str(ledger) == sentence
    assert ledger.complete == (sent == 1_003)
