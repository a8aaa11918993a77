"""The checker itself: it must find what a broken worker would do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.kafka.client import Record, Stored
from tests.kafka.verdict import Verdict, event, events, judge

N = 10
HEADERS: list[tuple[str, bytes | None]] = [("h", b"1")]
SENT = [replace(record, key=b"k", headers=HEADERS) for record in events(N)]
POISON = Record(b"no json", b"k", timestamp_ms=1)
# What ONNX Runtime gives for the first events; the checker computes them by itself.
SCORES = [0.9728419780731201, 0.3177204132080078, 0.9985049962997437]
Records = list[Stored]


def stored(offset: int, record: Record, value: bytes | None) -> Stored:
    """A record in Kafka with what the event had."""
    stamp = record.timestamp_ms
    return Stored("out", 0, offset, record.key, value, [*record.headers], stamp)


def scored() -> Records:
    """The first three events as a worker without fault scores them."""
    return [
        stored(seq, SENT[seq], event(seq)[:-1] + b',"score":%a}' % SCORES[seq]) for seq in range(3)
    ]


def test_a_perfect_worker_passes() -> None:
    """Every event once, scored or a dead letter: nothing is found."""
    verdict = judge([*SENT[:3], POISON], scored(), [stored(0, POISON, POISON.value)])
    assert verdict == Verdict(4, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda found: found[1:], Verdict(3, 1, 0, 0, 0)),
        (lambda found: [*found, found[-1]], Verdict(3, 0, 1, 0, 0)),
        (lambda found: [found[1], found[0], found[2]], Verdict(3, 0, 0, 1, 0)),
        (lambda found: [replace(found[0], key=b"x"), *found[1:]], Verdict(3, 0, 0, 0, 1)),
        (lambda found: [replace(found[0], timestamp_ms=5), *found[1:]], Verdict(3, 0, 0, 0, 1)),
        (lambda found: [replace(found[0], headers=[]), *found[1:]], Verdict(3, 0, 0, 0, 1)),
        (
            lambda found: [replace(found[0], value=found[0].value[:-2] + b"}"), *found[1:]],
            Verdict(3, 0, 0, 0, 1),
        ),
        (
            lambda found: [replace(found[0], value=b" " + found[0].value), *found[1:]],
            Verdict(3, 1, 0, 0, 1),
        ),
    ],
    ids=["lost", "twice", "reordered", "key", "timestamp", "headers", "score", "byte"],
)
def test_each_kind_of_damage_is_found(
    damage: Callable[[Records], Records], expected: Verdict
) -> None:
    """Each kind is counted under its own name."""
    assert judge(SENT[:3], damage(scored())) == expected


def test_an_altered_dead_letter_is_found() -> None:
    """A dead letter that is not the event byte for byte leaves it lost, and is counted."""
    assert judge([POISON], [], [stored(0, POISON, b"no json ")]) == Verdict(1, 1, 0, 0, 1)


def test_a_replay_in_order_is_no_reordering() -> None:
    """Copies after a crash are duplicates; only first copies are judged for their order."""
    assert judge(SENT[:3], scored() + scored()) == Verdict(3, 0, 3, 0, 0)


def test_keys_and_topics_are_judged_apart() -> None:
    """The order between two topics is nobody's promise."""
    first, second, third = scored()
    assert judge(SENT[:3], [second, third, replace(first, topic="b")]) == Verdict(3, 0, 0, 0, 0)
