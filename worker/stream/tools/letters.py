"""Dead letters: what their headers say, which are meant, and the records that they were."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from worker.dataset.instants import epoch_ms
from worker.errors import nearest
from worker.stream.tools.read import Header, Stored

PREFIX = "rtml-dlq-"
REPLAY_OF = f"{PREFIX}replay-of"
CARRIED = (f"{PREFIX}attempt", f"{PREFIX}first-at")
"""What the worker goes on counting from where a replayed record fails again."""

Source = tuple[str, int, int]
"""Topic, partition and offset that a letter came from."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A record of a dead-letter topic."""

    record: Stored

    @property
    def id(self) -> str:
        """``topic-partition-offset``."""
        return f"{self.record.topic}-{self.record.partition}-{self.record.offset}"

    @property
    def place(self) -> str:
        """``topic/partition/offset``, as a replayed record names the letter that it was."""
        return f"{self.record.topic}/{self.record.partition}/{self.record.offset}"

    def text(self, name: str) -> str:
        """One of our headers, such as ``error``; empty where there is none."""
        return self.record.header(PREFIX + name)

    @property
    def source(self) -> Source | None:
        """Where the event stood; None for a record that no worker put here."""
        topic, partition, offset = (self.text(name) for name in ("topic", "partition", "offset"))
        if not topic or not _is_number(partition) or not _is_number(offset):
            return None
        return topic, int(partition), int(offset)

    @property
    def elsewhere(self) -> str:
        """Where its content stands that was too large for it; empty where that is here."""
        if self.source is None or not self.text("omitted"):
            return ""
        topic, partition, offset = self.source
        return f"its content was too large for it; it stands at {topic}-{partition}@{offset}"

    @property
    def at_ms(self) -> int:
        """When it became a dead letter; without the header, the record's own time."""
        found = epoch_ms(self.text("at"))
        return found if found is not None else self.record.timestamp_ms or 0

    @property
    def timestamp_ms(self) -> int:
        """The event's own time, which the dead-letter topic may have refused."""
        text = self.text("timestamp")
        return int(text) if _is_number(text) else self.record.timestamp_ms or 0

    @property
    def digest(self) -> str:
        """Tells it from a letter at the same place of another topic of that name."""
        record = self.record
        seen = (record.timestamp_ms, record.key, record.value, record.headers)
        return hashlib.sha256(repr(seen).encode()).hexdigest()[:16]

    def replayed_headers(self) -> list[Header]:
        """The event's own headers, then which letter it was, and how often it has failed."""
        own = [header for header in self.record.headers if not header[0].startswith(PREFIX)]
        carried = [header for header in self.record.headers if header[0] in CARRIED]
        return [*own, *carried, (REPLAY_OF, self.place.encode())]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters are meant: those that fit everything that is given.

    Attributes:
        service: id of the service that rejected it.
        error: its stable name.
        node: id of the node.
        stage: where it failed.
        since_ms: when it became a dead letter, at the earliest.
        until_ms: before when it did.
        source_partition: partition of the source topic.
        source_offsets: first and last offset there.
    """

    service: str | None = None
    error: str | None = None
    node: str | None = None
    stage: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    source_partition: int | None = None
    source_offsets: tuple[int, int] | None = None

    def takes(self, letter: Letter) -> bool:
        """Whether a letter is meant."""
        for name in ("service", "error", "node", "stage"):
            wanted = getattr(self, name)
            if wanted is not None and letter.text(name) != wanted:
                return False
        if self.since_ms is not None and letter.at_ms < self.since_ms:
            return False
        if self.until_ms is not None and letter.at_ms >= self.until_ms:
            return False
        if self.source_partition is None and self.source_offsets is None:
            return True
        if letter.source is None:
            return False
        _, partition, offset = letter.source
        least, most = self.source_offsets or (offset, offset)
        return self.source_partition in (None, partition) and least <= offset <= most


class Names:
    """The names that were seen, for who asked for one that is not there."""

    def __init__(self) -> None:
        self._seen: dict[str, set[str]] = {
            name: set() for name in ("service", "error", "node", "stage")
        }

    def note(self, letter: Letter) -> None:
        """Remembers the names of a letter."""
        for name, seen in self._seen.items():
            seen.add(letter.text(name))

    def missing(self, wanted: Wanted) -> Iterable[str]:
        """A hint for each name that no letter has."""
        for name, seen in self._seen.items():
            asked = getattr(wanted, name)
            if asked is not None and asked not in seen:
                yield f"no letter has the {name} '{asked}'{nearest(asked, seen - {''})}"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
