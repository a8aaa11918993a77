"""One bad event among many good ones."""

from __future__ import annotations

from pathlib import Path

from tests.kafka.client import Record, produce
from tests.kafka.metrics import total
from tests.kafka.service import make_service
from tests.kafka.verdict import START_MS, Verdict, events, judge

N = 9_999
PLACE = 4_321


def test_a_poison_event_among_ten_thousand(kafka: str, tmp_path: Path) -> None:
    """It becomes the one dead letter; the 9,999 others are scored once each, in order."""
    service = make_service(kafka, tmp_path)
    sent = events(N)
    sent.insert(PLACE, Record(b"\x80poison", sent[PLACE].key, timestamp_ms=START_MS))
    produce(kafka, service.source, sent)
    with service.worker() as worker:
        service.settled()
        page = worker.get("/metrics")[1]
    scored, dead = service.scored(), service.dead_letters()
    assert judge(sent, scored, dead) == Verdict(N + 1, 0, 0, 0, 0)
    assert [one.value for one in dead] == [b"\x80poison"]
    assert len(scored) == N
    assert total(page, "rtml_dead_letters_total", stage="decode", error="InvalidUtf8") == 1
    assert total(page, "rtml_events_scored_total") == N
