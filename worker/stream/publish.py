"""Outcomes to Kafka: scored records to their topics, dead letters to theirs, in input order."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2

from worker.codec.outcome import Outcomes
from worker.errors import Fault, Stage
from worker.graph.plan import Plan
from worker.stream.dead_letters import DeadLetters
from worker.stream.lineage import Lineage
from worker.stream.outbox import Future, Outbox, Place
from worker.stream.record import Record
from worker.stream.terms import Known, Terms
from worker.stream.topics import TopicLimits
from worker.stream.unread import Unread

MAX_CACHED_KEY_BYTES = 256


@dataclass(frozen=True, slots=True)
class Segment:
    """Consecutive records of one input partition within a batch: ``records[start:end]``."""

    partition: int
    start: int
    end: int


class Publisher:
    """Hands the outcomes of a batch to the producer and returns what is to be awaited.

    The sink keeps a record's partition where the topics have as many; else the key decides, as
    Java's default partitioner does, and records without a key stay together by input partition.
    What the broker would refuse (too large, a timestamp out of range) becomes a dead letter
    first: one refused record fails its whole batch.
    """

    def __init__(
        self,
        plan: Plan,
        lineage: Lineage,
        producer: AIOKafkaProducer,
        partitions: Mapping[str, int],
        limits: Mapping[str, TopicLimits],
    ) -> None:
        """``partitions`` and ``limits`` hold all topics of the plan.

        The producer's batch size must not exceed any sink topic's ``max.message.bytes``.
        """
        self._producer = producer
        self._partitions, self._limits = partitions, limits
        self._source, self._sink = plan.spec.source.topic, plan.spec.sink.topic
        self._dead, self._topics = plan.spec.dead_letter_topic, plan.topics
        self._straight = (
            len(plan.topics) == 1 and partitions[self._sink] == partitions[self._source]
        )
        self._headers = lineage.scored() if plan.spec.sink.headers else []
        self._compressed = plan.spec.sink.compression != "none"
        self._letters = DeadLetters(plan, lineage, limits)

    async def publish(
        self,
        segments: Sequence[Segment],
        records: Sequence[Record],
        timestamps_ms: Sequence[int],
        outcomes: Outcomes,
    ) -> list[Future]:
        """Enqueues every scored record and dead letter, in the order of ``records``.

        Args:
            segments: where each partition's records stand.
            records: the ``n`` records of a batch, each partition's in offset order.
            timestamps_ms: their ``n`` timestamps.
            outcomes: of the same ``n`` records; what cannot be produced is moved to its faults.

        Returns:
            Futures of all produce requests; the batch is done when each of them is.

        Raises:
            TransportError: a dead letter that the dead-letter topic cannot take.
        """
        now_ms = int(time.time() * 1_000)
        outbox = Outbox(self._producer)
        refused = self._refuse_timestamps(timestamps_ms, outcomes, now_ms)
        if self._straight:
            for segment in segments:
                rows = range(segment.start, segment.end)
                # A source that grew while we ran has more partitions than its sink.
                to = segment.partition % self._partitions[self._sink]
                refused += await self._add(outbox, (self._sink, to), rows, records, outcomes)
        else:
            for place, found in self._places(records, outcomes).items():
                refused += await self._add(outbox, place, found, records, outcomes)
        for fault in refused:
            outcomes.values[fault.row] = None
        outcomes.faults.extend(refused)
        outcomes.faults.sort(key=lambda fault: fault.row)
        for fault in outcomes.faults:
            record = records[fault.row]
            to = self._partition(self._dead, record)
            await self._letters.add(outbox, to, record, fault, now_ms)
        return await outbox.flush()

    def _places(self, records: Sequence[Record], outcomes: Outcomes) -> dict[Place, list[int]]:
        """The rows that have a value, in their order, by where they go."""
        places: dict[Place, list[int]] = {}
        for row, value in enumerate(outcomes.values):
            if value is not None:
                topic = self._topic(outcomes, row)
                places.setdefault((topic, self._partition(topic, records[row])), []).append(row)
        return places

    async def _add(
        self,
        outbox: Outbox,
        place: Place,
        rows: Iterable[int],
        records: Sequence[Record],
        outcomes: Outcomes,
    ) -> list[Fault]:
        """Appends the rows that have a value; a fault for each that is too large."""
        refused = []
        ours, values = self._headers, outcomes.values
        batch = outbox.batch(place)
        empty = batch.record_count() == 0
        for row in rows:
            value = values[row]
            if value is None:
                continue
            record = records[row]
            headers = [*record.headers, *ours] if record.headers else ours
            key, stamp = record.key, record.timestamp
            if batch.append(timestamp=stamp, key=key, value=value, headers=headers) is None:
                batch = await outbox.next(place)
                batch.append(timestamp=stamp, key=key, value=value, headers=headers)
                empty = True
            if empty:  # only the first record of a record batch may exceed the batch size
                # What is compressed is judged by Kafka: here its size is not known yet.
                limits = self._limits[place[0]]
                message = None if self._compressed else limits.excess(place[0], batch.size())
                empty = message is not None
                if message is not None:
                    refused.append(Fault(row, Stage.PRODUCE, "RecordTooLarge", message))
                    batch = outbox.discard(place)
        return refused

    def _topic(self, outcomes: Outcomes, row: int) -> str:
        return (outcomes.topics[row] if outcomes.topics else None) or self._sink

    def _partition(self, topic: str, record: Record) -> int:
        count = self._partitions[topic]
        if count == self._partitions[self._source] or record.key is None:
            return record.partition % count
        if isinstance(record.value, Unread):  # its key may be one that takes seconds to hash
            return record.partition % count
        key = record.key
        return (_cached if len(key) <= MAX_CACHED_KEY_BYTES else _murmur2)(key) % count

    def _refuse_timestamps(
        self, timestamps_ms: Sequence[int], outcomes: Outcomes, now_ms: int
    ) -> list[Fault]:
        ends = (min(timestamps_ms), max(timestamps_ms))
        if all(self._limits[to].accepts(stamp, now_ms) for to in self._topics for stamp in ends):
            return []
        refused = []
        for row, stamp in enumerate(timestamps_ms):
            topic = self._topic(outcomes, row)
            if outcomes.values[row] is not None and not self._limits[topic].accepts(stamp, now_ms):
                message = f"topic '{topic}' accepts no timestamp such as {stamp}"
                refused.append(Fault(row, Stage.PRODUCE, "TimestampRefused", message))
                outcomes.values[row] = None
        return refused


def publisher(terms: Terms, plan: Plan, known: Known, producer: AIOKafkaProducer) -> Publisher:
    """The publisher of a service that scores by ``plan``."""
    lineage = Lineage.of(plan, terms.service, terms.group)
    return Publisher(plan, lineage, producer, known.partitions, known.limits)


def _murmur2(key: bytes) -> int:
    """Java's hash of a key, without its sign; 3-7 µs for short keys."""
    return int(murmur2(key)) & 0x7FFFFFFF


_cached = functools.lru_cache(maxsize=65_536)(_murmur2)
