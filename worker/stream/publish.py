"""Outcomes to Kafka: scored records to their topics, dead letters to theirs, in input order."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder

from worker.codec.outcome import Outcomes
from worker.errors import Fault, Stage, TransportError
from worker.graph.plan import Plan
from worker.stream.lineage import Lineage
from worker.stream.record import Record
from worker.stream.topics import TopicLimits

Future = asyncio.Future[Any]


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
        self._producer, self._lineage = producer, lineage
        self._partitions, self._limits = partitions, limits
        self._source, self._sink = plan.spec.source.topic, plan.spec.sink.topic
        self._dead, self._topics = plan.spec.dead_letter_topic, plan.topics
        self._straight = (
            len(plan.topics) == 1 and partitions[self._sink] == partitions[self._source]
        )
        self._headers = lineage.scored() if plan.spec.sink.headers else []

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
        outbox = _Outbox(self._producer, self._limits)
        refused = self._refuse_timestamps(timestamps_ms, outcomes, now_ms)
        if self._straight:
            for segment in segments:
                part = slice(segment.start, segment.end)
                rows = range(segment.start, segment.end)
                entries = zip(rows, records[part], outcomes.values[part], strict=True)
                # A source that grew while we ran has more partitions than its sink.
                to = segment.partition % self._partitions[self._sink]
                refused += await self._add(outbox, self._sink, to, entries)
        else:
            for row, value in enumerate(outcomes.values):
                if value is not None:
                    topic = self._topic(outcomes, row)
                    to = self._partition(topic, records[row])
                    entry = (row, records[row], value)
                    refused += await self._add(outbox, topic, to, [entry])
        for fault in refused:
            outcomes.values[fault.row] = None
        outcomes.faults.extend(refused)
        outcomes.faults.sort(key=lambda fault: fault.row)
        for fault in outcomes.faults:
            await self._bury(outbox, records[fault.row], fault, now_ms)
        return await outbox.flush()

    async def _add(
        self,
        outbox: _Outbox,
        topic: str,
        partition: int,
        entries: Iterable[tuple[int, Record, bytes | None]],
    ) -> list[Fault]:
        """Appends the records that have a value; a fault for each that is too large."""
        refused = []
        ours = self._headers
        most = self._limits[topic].max_batch_bytes
        batch = outbox.batch(topic, partition)
        first = batch.record_count() == 0
        for row, record, value in entries:
            if value is None:
                continue
            headers = [*record.headers, *ours] if record.headers else ours
            key, stamp = record.key, record.timestamp
            if batch.append(timestamp=stamp, key=key, value=value, headers=headers) is None:
                batch = await outbox.next(topic, partition)
                batch.append(timestamp=stamp, key=key, value=value, headers=headers)
                first = True
            if first:  # only the first record of a record batch may exceed the batch size
                first = batch.size() > most
                if first:
                    message = f"{batch.size()} bytes, but max.message.bytes of '{topic}' is {most}"
                    refused.append(Fault(row, Stage.PRODUCE, "RecordTooLarge", message))
                    batch = outbox.discard(topic, partition)
        return refused

    async def _bury(self, outbox: _Outbox, record: Record, fault: Fault, now_ms: int) -> None:
        topic, partition = self._dead, self._partition(self._dead, record)
        stamp = record.timestamp
        if not self._limits[topic].accepts(stamp, now_ms):
            stamp = now_ms  # the original timestamp stands in the headers
        headers = self._lineage.dead_letter(record, fault, now_ms)
        batch = outbox.batch(topic, partition)
        given = {"timestamp": stamp, "key": record.key, "value": record.value, "headers": headers}
        if batch.append(**given) is None:
            batch = await outbox.next(topic, partition)
            batch.append(**given)
        most = self._limits[topic].max_batch_bytes
        if batch.record_count() == 1 and batch.size() > most:
            place = f"{record.topic}-{record.partition}@{record.offset}"
            raise TransportError(
                f"dead letter of {place} has {batch.size()} bytes, but max.message.bytes of "
                f"'{topic}' is {most}; raise it there",
                retriable=False,
            )

    def _topic(self, outcomes: Outcomes, row: int) -> str:
        return (outcomes.topics[row] if outcomes.topics else None) or self._sink

    def _partition(self, topic: str, record: Record) -> int:
        count = self._partitions[topic]
        if count == self._partitions[self._source] or record.key is None:
            return record.partition % count
        return _murmur2(record.key) % count

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


class _Outbox:
    """Record batches under construction, one per topic and partition."""

    def __init__(self, producer: AIOKafkaProducer, limits: Mapping[str, TopicLimits]) -> None:
        self._producer, self._limits = producer, limits
        self._open: dict[tuple[str, int], BatchBuilder] = {}
        self._sent: list[Future] = []

    def batch(self, topic: str, partition: int) -> BatchBuilder:
        """The batch being filled."""
        found = self._open.get((topic, partition))
        if found is None:
            found = self._open[topic, partition] = self._producer.create_batch()
        return found

    async def next(self, topic: str, partition: int) -> BatchBuilder:
        """Sends the full batch and begins another."""
        await self._send(topic, partition, self._open.pop((topic, partition)))
        return self.batch(topic, partition)

    def discard(self, topic: str, partition: int) -> BatchBuilder:
        """Forgets a batch whose only record must not be sent."""
        del self._open[topic, partition]
        return self.batch(topic, partition)

    async def flush(self) -> list[Future]:
        """Sends what is left; the futures of everything sent."""
        for (topic, partition), batch in self._open.items():
            if batch.record_count():
                await self._send(topic, partition, batch)
        self._open.clear()
        return self._sent

    async def _send(self, topic: str, partition: int, batch: BatchBuilder) -> None:
        while True:
            try:
                sent = await self._producer.send_batch(batch, topic, partition=partition)
            except KafkaTimeoutError:  # no broker for a while: the batch was not enqueued
                continue
            self._sent.append(sent)
            return


@functools.lru_cache(maxsize=65_536)
def _murmur2(key: bytes) -> int:
    """Java's hash of a key, without its sign; 3-7 µs where it is not cached."""
    return int(murmur2(key)) & 0x7FFFFFFF
