"""Record batches on their way to the producer."""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError
from aiokafka.producer.message_accumulator import BatchBuilder

Future = asyncio.Future[Any]
Place = tuple[str, int]
"""Topic and partition."""


class Outbox:
    """Record batches under construction, one per topic and partition."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._open: dict[Place, BatchBuilder] = {}
        self._sent: list[Future] = []

    def batch(self, place: Place) -> BatchBuilder:
        """The batch being filled."""
        found = self._open.get(place)
        if found is None:
            found = self._open[place] = self._producer.create_batch()
        return found

    async def next(self, place: Place) -> BatchBuilder:
        """Sends the full batch and begins another."""
        await self._send(place, self._open.pop(place))
        return self.batch(place)

    def discard(self, place: Place) -> BatchBuilder:
        """Forgets a batch whose only record must not be sent."""
        del self._open[place]
        return self.batch(place)

    async def flush(self) -> list[Future]:
        """Sends what is left; the futures of everything sent."""
        for place, batch in self._open.items():
            if batch.record_count():
                await self._send(place, batch)
        self._open.clear()
        return self._sent

    async def _send(self, place: Place, batch: BatchBuilder) -> None:
        topic, partition = place
        while True:
            try:
                sent = await self._producer.send_batch(batch, topic, partition=partition)
            except KafkaTimeoutError:  # no broker for a while: the batch was not enqueued
                continue
            self._sent.append(sent)
            return
