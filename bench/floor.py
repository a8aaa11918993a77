"""The floor: the fastest that aiokafka passes records on under the worker's promises.

``python -m bench.floor BROKERS GROUP SOURCE SINK`` runs until SIGTERM. Records go from SOURCE to
SINK with key, timestamp and headers. Fetching overlaps with up to four batches that wait for their
acknowledgement; offsets are committed every 100 ms, after it. The clients are made by the worker's
own functions, so their settings are the same.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Collection
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import NoOffsetForPartitionError

from worker.loop import new_event_loop
from worker.settings import Settings
from worker.stream import clients
from worker.stream.connect import stop

IN_FLIGHT_BATCHES = 4
POLL_MS = 200

Ticket = tuple[dict[TopicPartition, int], list[asyncio.Future[Any]]]
"""The offsets that may be committed, and what must be acknowledged before."""


class PassThrough(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """One member of its group, alone and for one run."""

    def __init__(self, settings: Settings, group: str, source: str, sink: str) -> None:
        self._settings, self._source, self._sink = settings, source, sink
        self._consumer = clients.consumer(settings, group, "read_committed")
        self._producer = clients.producer(settings, "none", settings.max_batch_bytes)
        self._tickets: asyncio.Queue[Ticket] = asyncio.Queue(IN_FLIGHT_BATCHES)
        self._acknowledged: dict[TopicPartition, int] = {}

    async def run(self) -> None:
        """Passes records on until cancelled."""
        await self._producer.start()
        await self._consumer.start()
        self._consumer.subscribe([self._source], listener=self)
        try:
            async with asyncio.TaskGroup() as tasks:
                for task in (self._pump(), self._acks(), self._commits()):
                    tasks.create_task(task)
        finally:
            await stop(self._consumer)
            await stop(self._producer)

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Starts at the beginning: a benchmark's topic is new."""
        for partition in assigned:
            self._consumer.seek(partition, 0)

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Needs nothing: there is no other member."""

    async def _pump(self) -> None:
        limit = self._settings.max_batch_events
        while True:
            try:
                found = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=limit)
            except NoOffsetForPartitionError:
                continue  # asked before the seek
            offsets, sent = {}, []
            for partition, records in found.items():
                batch = self._producer.create_batch()
                for record in records:
                    added = batch.append(
                        timestamp=record.timestamp,
                        key=record.key,
                        value=record.value,
                        headers=list(record.headers),
                    )
                    if added is None:
                        raise RuntimeError("a batch of these events exceeds max_batch_bytes")
                number = partition.partition
                sent.append(await self._producer.send_batch(batch, self._sink, partition=number))
                offsets[partition] = records[-1].offset + 1
            if sent:
                await self._tickets.put((offsets, sent))

    async def _acks(self) -> None:
        while True:
            offsets, sent = await self._tickets.get()
            await asyncio.gather(*sent)
            self._acknowledged.update(offsets)

    async def _commits(self) -> None:
        while True:
            await asyncio.sleep(self._settings.commit_interval_ms / 1_000)
            offsets, self._acknowledged = self._acknowledged, {}
            if offsets:
                await self._consumer.commit(offsets)


def command(brokers: str, group: str, source: str, sink: str) -> list[str]:
    """What starts it as a process of its own."""
    return [sys.executable, "-m", "bench.floor", brokers, group, source, sink]


async def main(brokers: str, group: str, source: str, sink: str) -> None:
    """Runs until SIGTERM."""
    passing = asyncio.create_task(PassThrough(Settings(brokers=brokers), group, source, sink).run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, passing.cancel)
    try:
        await passing
    except asyncio.CancelledError:
        return


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main(*sys.argv[1:]))
