"""Dead letters: what their headers say, and which are meant."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.kafka.letters import AT_MS, OWN, letter
from worker.stream.tools.letters import Letter, Names, Wanted
from worker.stream.tools.read import Header, Stored
from worker.stream.tools.replay import Routes
from worker.stream.topics import TopicLimits

AT = "2026-01-01T00:00:07.000Z"
AT_7_MS = 1_767_225_607_000


def stored(**said: str) -> Letter:
    """Letter 7 of tx, as it lies at tx-dlq-0-17."""
    made = letter(7, "tx", 2, **said)
    headers = tuple(made.headers)
    return Letter(Stored("tx-dlq", 0, 17, AT_MS, made.key, made.value, headers))


def foreign(*headers: Header) -> Letter:
    """A record that no worker has put there."""
    return Letter(Stored("tx-dlq", 0, 17, AT_MS, None, b"{}", headers))


def test_the_headers_are_read() -> None:
    """Where it came from, when it died, and its own time."""
    found = stored()
    assert (found.id, found.place) == ("tx-dlq-0-17", "tx-dlq/0/17")
    assert found.source == ("tx", 2, 7)
    assert (found.at_ms, found.timestamp_ms) == (AT_7_MS, AT_MS + 7)


@pytest.mark.parametrize("bad", [{"offset": "-1"}, {"offset": "x"}, {"topic": ""}])
def test_a_letter_without_a_source_is_told_apart(bad: dict[str, str]) -> None:
    """Headers that name no place give no source; times fall back to the record's."""
    assert stored(**bad).source is None
    assert (foreign().source, foreign().at_ms, foreign().timestamp_ms) == (None, AT_MS, AT_MS)


def test_a_replayed_record_has_its_own_headers_and_the_mark() -> None:
    """Ours go but for attempt and first-at; the letter that it was replaces an older one."""
    found = stored(replay_of="tx-dlq/0/3", attempt="2").replayed_headers()
    assert found == [
        *OWN,
        ("rtml-dlq-attempt", b"2"),
        ("rtml-dlq-first-at", b"2026-01-01T00:00:00.000Z"),
        ("rtml-dlq-replay-of", b"tx-dlq/0/17"),
    ]


def test_the_digest_is_the_whole_record() -> None:
    """Another value, key, time or header is another letter."""
    record = stored().record
    others = [
        replace(record, value=b"{}"),
        replace(record, key=None),
        replace(record, timestamp_ms=AT_MS + 1),
        replace(record, headers=record.headers[:-1]),
    ]
    digests = {Letter(one).digest for one in [record, *others]}
    assert len(digests) == 5
    assert Letter(replace(record)).digest == stored().digest


@pytest.mark.parametrize(
    "fits",
    [
        Wanted(),
        Wanted(service="fraud", error="RangeError", node="small", stage="validate"),
        Wanted(since_ms=AT_7_MS, until_ms=AT_7_MS + 1),
        Wanted(source_partition=2, source_offsets=(7, 7)),
        Wanted(source_offsets=(0, 9)),
    ],
)
def test_a_letter_that_fits_every_filter_is_meant(fits: Wanted) -> None:
    """Bounds belong to it, but for the later time."""
    assert fits.takes(stored())


@pytest.mark.parametrize(
    "other",
    [
        Wanted(service="x"),
        Wanted(error="x"),
        Wanted(node="x"),
        Wanted(stage="score"),
        Wanted(since_ms=AT_7_MS + 1),
        Wanted(until_ms=AT_7_MS),
        Wanted(source_partition=1),
        Wanted(source_partition=2, source_offsets=(8, 9)),
        Wanted(error="RangeError", node="x"),
    ],
)
def test_a_letter_that_misses_one_filter_is_not(other: Wanted) -> None:
    """One that does not fit is enough."""
    assert not other.takes(stored())


def test_a_foreign_record_has_no_place_in_the_source() -> None:
    """A filter on the source leaves it out; no filter takes it."""
    assert not Wanted(source_partition=0).takes(foreign())
    assert Wanted().takes(foreign())


def test_a_name_that_no_letter_has_is_hinted_at() -> None:
    """The nearest one is told."""
    names = Names()
    names.note(stored())
    assert list(names.missing(Wanted(error="RangeEror", node="small"))) == [
        "no letter has the error 'RangeEror'; did you mean 'RangeError'?"
    ]


def test_what_cannot_go_back_says_why() -> None:
    """A source that is none or is gone, a size and a time that the topic refuses."""
    asked = []

    def ask(topic: str) -> TopicLimits:
        asked.append(topic)
        return TopicLimits(max_batch_bytes=600, max_behind_ms=1_000)

    routes = Routes({"tx": 3, "tx-dlq": 1}, ask)
    now_ms = AT_MS + 1_000
    assert routes.why_not(stored(), now_ms) == ""
    assert routes.why_not(foreign(), now_ms) == "its headers name no source"
    assert "no source topic" in routes.why_not(stored(topic="__offsets"), now_ms)
    assert "no source topic" in routes.why_not(stored(topic="tx-dlq"), now_ms)
    assert "does not exist any more" in routes.why_not(stored(topic="ty"), now_ms)
    assert "of its time" in routes.why_not(stored(), AT_MS + 1_008)
    omitted = stored(omitted="key,value,headers")
    assert "too large for it; it stands at tx-2@7" in routes.why_not(omitted, now_ms)
    large = Letter(replace(stored().record, value=b"x" * 500))
    assert "larger than" in routes.why_not(large, now_ms)
    assert asked == ["tx"]


def test_the_partition_is_the_events_own() -> None:
    """Where the topic has fewer partitions now, the key decides."""
    ask = TopicLimits
    assert Routes({"tx": 3}, lambda _: ask()).partition(stored()) == 2
    assert Routes({"tx": 2}, lambda _: ask()).partition(stored()) == -1
