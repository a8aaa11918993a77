"""The marks of replayed dead letters: a compacted topic beside the dead letters."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from worker.settings import Settings
from worker.stream.tools.letters import Letter
from worker.stream.tools.make import make_named
from worker.stream.tools.span import fetch

SUFFIX = "-replayed"


class Mark(msgspec.Struct, frozen=True):
    """That a letter was replayed.

    Attributes:
        digest: of the letter. The place alone would also mean the letters of a topic that was
            deleted and made again.
        to: the topic.
        at_ms: when.
    """

    digest: str
    to: str
    at_ms: int


Marks = dict[str, Mark]
"""By the letter's place."""


def topic_of(dead_letters: str) -> str:
    """The topic of the marks."""
    return dead_letters + SUFFIX


def make_topic(
    settings: Settings, dead_letters: str, wait_s: float, waiting: Callable[[str], None]
) -> None:
    """Makes the topic of the marks unless it is there.

    Raises:
        TransportError: Kafka is not reached in time, or refuses.
    """
    topic = topic_of(dead_letters)
    config = {topic: {"cleanup.policy": "compact"}}
    make_named(settings, [topic], 1, wait_s, waiting, config)


def read(
    settings: Settings, dead_letters: str, wait_s: float, waiting: Callable[[str], None]
) -> Marks:
    """Every mark whose transaction is committed.

    Raises:
        TransportError: Kafka does not answer.
    """
    found: Marks = {}
    for record in fetch(settings, topic_of(dead_letters), "earliest", wait_s, waiting).records():
        place = (record.key or b"").decode(errors="replace")
        try:
            found[place] = msgspec.json.decode(record.value or b"", type=Mark)
        except (msgspec.DecodeError, UnicodeDecodeError):  # nobody of ours wrote it
            continue
    return found


def of(marks: Marks, letter: Letter) -> Mark | None:
    """The mark of a letter; None where it was not replayed."""
    mark = marks.get(letter.place)
    return mark if mark is not None and mark.digest == letter.digest else None


def made(letter: Letter, to: str) -> bytes:
    """The value of a new mark; its key is the letter's place."""
    return msgspec.json.encode(Mark(letter.digest, to, int(time.time() * 1_000)))
