"""Letting go of Kafka, whatever it does meanwhile."""

from __future__ import annotations

import asyncio
import ctypes

import pytest

from worker.settings import Settings
from worker.stream import clients, connect
from worker.stream.embedded import EmbeddedBroker

SILENT_MS = 60_000


def test_a_producer_is_stopped_though_its_broker_is_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Within the bounds of this module: a request that nobody answers is not waited for."""
    monkeypatch.setattr(connect, "STOP_TIMEOUT_S", 0.1)
    monkeypatch.setattr(connect, "CLOSE_TIMEOUT_S", 0.1)

    async def run(broker: EmbeddedBroker) -> None:
        producer = clients.producer(Settings(brokers=broker.bootstrap), "none", 900_000)
        await producer.start()
        await producer.send_and_wait("tx", b"{}")
        pointer = ctypes.c_void_p(broker._cluster)
        broker._library.rd_kafka_mock_broker_set_rtt(pointer, 1, SILENT_MS)
        await producer.send("tx", b"{}")
        async with asyncio.timeout(10.0):
            while not producer._sender._in_flight:  # noqa: ASYNC110 - no event tells of it
                await asyncio.sleep(0.01)
            await connect.stop(producer)

    with EmbeddedBroker({"tx": 1}) as broker:
        asyncio.run(run(broker))
