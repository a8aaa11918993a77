"""What is in a topic now, read to its end, partition by partition."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from worker.errors import TransportError
from worker.settings import Settings
from worker.stream.tools import connect
from worker.stream.tools.connect import Place
from worker.stream.tools.read import Reader, Stored

_BATCH = 2_000
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Span:
    """The records of a topic between two moments.

    Attributes:
        settings: whose brokers hold them.
        starts: the first offset of each partition.
        ends: the one after the last.
        wait_s: give up when nothing came for so long.
        waiting: told why Kafka does not answer.
    """

    settings: Settings
    starts: Mapping[Place, int]
    ends: Mapping[Place, int]
    wait_s: float
    waiting: Callable[[str], None]

    @property
    def offsets(self) -> int:
        """How many there are, those of transaction markers and of compacted records included."""
        return sum(max(end - self.starts[place], 0) for place, end in self.ends.items())

    def records(self) -> Iterator[Stored]:
        """Each committed record.

        Raises:
            TransportError: Kafka does not answer any more.
        """
        for place, end in sorted(self.ends.items()):
            if self.starts[place] < end:
                with Reader(self.settings, {place: self.starts[place]}, self.waiting) as reader:
                    yield from self._partition(reader, place, end)

    def _partition(self, reader: Reader, place: Place, end: int) -> Iterator[Stored]:
        since_s, reached = time.monotonic(), reader.reached[place]
        while reached < end:
            for record in reader.take(_BATCH, _POLL_S):
                if record.offset < end:
                    yield record
            if reader.reached[place] > reached:
                since_s, reached = time.monotonic(), reader.reached[place]
            elif time.monotonic() - since_s > max(self.wait_s, _POLL_S):
                name = f"{place[0]}-{place[1]}"
                message = (
                    f"nothing more of {name} came for {self.wait_s:g} s; {end - reached:,} left"
                )
                raise TransportError(message, retriable=True)


def fetch(
    settings: Settings,
    topic: str,
    at: Literal["earliest"] | int,
    wait_s: float,
    waiting: Callable[[str], None],
) -> Span:
    """What is in a topic at this moment.

    Args:
        settings: whose brokers are asked.
        topic: its name.
        at: from the first record on, or from a time on (epoch ms).
        wait_s: give up when Kafka does not answer for so long.
        waiting: told why Kafka does not answer.

    Raises:
        ConfigError: there is no such topic.
        TransportError: Kafka does not answer.
    """
    known = connect.topics(settings, wait_s, waiting)
    connect.need(settings, topic, known)
    partitions = {topic: known[topic]}
    ends = connect.offsets(settings, partitions, "latest")
    return Span(settings, connect.offsets(settings, partitions, at), ends, wait_s, waiting)
