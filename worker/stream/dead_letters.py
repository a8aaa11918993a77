"""Dead letters on their way to their topic, as whole as it takes them."""

from __future__ import annotations

from collections.abc import Mapping

from worker.errors import Fault, TransportError
from worker.graph.plan import Plan
from worker.stream.lineage import Headers, Lineage
from worker.stream.outbox import Outbox, Place
from worker.stream.record import Record
from worker.stream.topics import DEAD_LETTER_EXTRA_BYTES, TopicLimits
from worker.stream.unread import Unread, content

OMITTED = ("key", "value", "headers")


class DeadLetters:
    """Appends dead letters; one that would be too large has fewer headers of ours.

    What is over a limit of the settings, or larger than anything the source takes uncompressed, is
    left out where it does not fit: it stands in the source, and must not stop what follows it.
    """

    def __init__(self, plan: Plan, lineage: Lineage, limits: Mapping[str, TopicLimits]) -> None:
        """``limits`` hold the topics of the plan."""
        self._topic, self._lineage = plan.spec.dead_letter_topic, lineage
        self._limits = limits[self._topic]
        self._compressed = plan.spec.sink.compression != "none"
        source = plan.spec.source.topic
        self._readable = limits[source].max_batch_bytes + DEAD_LETTER_EXTRA_BYTES

    async def add(
        self, outbox: Outbox, partition: int, record: Record, fault: Fault, now_ms: int
    ) -> None:
        """Appends the letter of a record.

        Raises:
            TransportError: it is too large for its topic, though the source takes such records.
        """
        place = (self._topic, partition)
        stamp, limits = record.timestamp, self._limits
        if not limits.accepts(stamp, now_ms):
            stamp = now_ms  # the original timestamp stands in the headers
        unread, value = isinstance(record.value, Unread), content(record)
        message: str | None = None
        for brief in (False, True) if value is not None or not unread else ():
            headers = self._lineage.dead_letter(record, fault, now_ms, brief=brief)
            size = await _append(outbox, place, stamp, record.key, value, headers)
            judged = unread or not self._compressed  # else by Kafka: its size is not known yet
            message = limits.excess(self._topic, size) if judged else None
            if message is None:
                return
            outbox.discard(place)
            unread = unread or size > self._readable
        if not unread:
            origin = f"{record.topic}-{record.partition}@{record.offset}"
            raise TransportError(f"dead letter of {origin}: {message}; raise it", retriable=False)
        headers = self._lineage.dead_letter(record, fault, now_ms, omitted=OMITTED)
        await _append(outbox, place, stamp, None, None, headers)


async def _append(
    outbox: Outbox,
    place: Place,
    stamp: int,
    key: bytes | None,
    value: bytes | None,
    headers: Headers,
) -> int:
    """The size of the record batch that the letter is alone in; 0 where others are before it."""
    batch = outbox.batch(place)
    if batch.append(timestamp=stamp, key=key, value=value, headers=headers) is None:
        batch = await outbox.next(place)
        batch.append(timestamp=stamp, key=key, value=value, headers=headers)
    return 0 if batch.record_count() > 1 else batch.size()
