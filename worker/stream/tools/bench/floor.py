"""The floor: the fastest that aiokafka passes records on under the worker's promises.

``python -m worker.stream.tools.bench.floor BROKERS GROUP SOURCE SINK`` runs until SIGTERM; no model
is used. Records go from SOURCE to SINK with key, timestamp and headers. Fetching overlaps with up
to four batches that wait for their acknowledgement; offsets are committed every 100 ms, after it.
The clients are made by the worker's own functions, so their settings are the same.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from collections.abc import Collection, Iterator
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import NoOffsetForPartitionError

from worker.loop import new_event_loop
from worker.settings import Settings, load
from worker.stream import clients
from worker.stream.connect import stop
from worker.stream.tools.command import WHILE_OPEN, drain_when_closed

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
        """Starts where its group begins, which is the topic's beginning if nobody said where."""
        for partition in assigned:
            if await self._consumer.committed(partition) is None:
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
                sent += [await self._send(batch, partition) for batch in self._batches(records)]
                offsets[partition] = records[-1].offset + 1
            if sent:
                await self._settle((offsets, sent))

    def _batches(self, records: list[Any]) -> Iterator[Any]:
        """One batch, or as many as its limit of bytes demands."""
        batch = self._producer.create_batch()
        for record in records:
            given = {"timestamp": record.timestamp, "key": record.key, "value": record.value}
            headers = list(record.headers)
            if batch.append(**given, headers=headers) is None:
                yield batch
                batch = self._producer.create_batch()
                batch.append(**given, headers=headers)
        yield batch

    async def _send(self, batch: Any, partition: TopicPartition) -> asyncio.Future[Any]:
        sent: asyncio.Future[Any] = await self._producer.send_batch(
            batch, self._sink, partition=partition.partition
        )
        return sent

    async def _settle(self, ticket: Ticket) -> None:
        """Leaves the batch to the other tasks and goes on."""
        await self._tickets.put(ticket)

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


async def _serve(
    kind: type[PassThrough], settings: Settings, group: str, source: str, sink: str
) -> None:
    """Runs until SIGTERM."""
    passing = asyncio.create_task(kind(settings, group, source, sink).run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, passing.cancel)
    try:
        await passing
    except asyncio.CancelledError:
        return


def main(kind: type[PassThrough]) -> None:
    """The program; settings are those of the worker's variables."""
    parser = argparse.ArgumentParser(description=kind.__doc__)
    for name in ("brokers", "group", "source", "sink"):
        parser.add_argument(name)
    parser.add_argument("model", nargs="?", help="not used; peers that score are told it")
    parser.add_argument(WHILE_OPEN, type=int)
    given = parser.parse_args()
    if given.while_open is not None:
        drain_when_closed(given.while_open)
    settings, _ = load(os.environ, {"brokers": given.brokers})
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_serve(kind, settings, given.group, given.source, given.sink))


if __name__ == "__main__":
    main(PassThrough)
