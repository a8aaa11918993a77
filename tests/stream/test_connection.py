"""Connections that break under a request or never answer it, on the worker's own event loop."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka.conn import create_conn
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.group import HeartbeatRequest
from aiokafka.protocol.metadata import MetadataRequest

from worker import loop
from worker.stream import connection, silence
from worker.stream.connection import Connection, install

# The answer to ApiVersions: no error, Metadata (3) and Heartbeat (12) in versions 0 and 1.
_VERSIONS = struct.pack(">hihhhhhh", 0, 2, 3, 0, 1, 12, 0, 1)
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)


async def _answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Tells the versions, and resets the connection at the next request."""
    size = int.from_bytes(await reader.readexactly(4))
    correlation_id = (await reader.readexactly(size))[4:8]
    answer = correlation_id + _VERSIONS
    writer.write(struct.pack(">i", len(answer)) + answer)
    await reader.readexactly(4)
    held = writer.get_extra_info("socket")
    held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
    writer.close()


def test_a_request_on_a_broken_connection_is_an_error_that_is_tried_again() -> None:
    """The socket is gone and the connection has not noticed yet: what uvloop says is translated."""
    install()
    raised: list[BaseException] = []

    async def break_under_a_request() -> None:
        server = await asyncio.start_server(_answer_once, "127.0.0.1", 0)
        async with server:
            host, port = server.sockets[0].getsockname()
            broken = await create_conn(host, port)
            assert isinstance(broken, Connection)

            def ask_again(_: object) -> None:
                assert broken.connected()
                try:
                    broken.send(MetadataRequest([]))
                except Exception as error:  # noqa: BLE001 - which one it is, is the test
                    raised.append(error)

            # Called when the transport has ended, a turn of the loop before the connection is told.
            broken._closed_fut.add_done_callback(ask_again)
            with pytest.raises(KafkaConnectionError):
                await broken.send(MetadataRequest([]))
            await broken._closed_fut
            assert not broken.connected()

    _run(break_under_a_request())
    assert [type(error) for error in raised] == [KafkaConnectionError]


_LOOK_S, _PATIENCE_S = 0.02, 0.1
# The answer to Metadata, version 1: no brokers, no controller, no topics.
_NOTHING_THERE = struct.pack(">iii", 0, -1, 0)


@dataclass
class _Broker:
    """Lets clients in, and answers their first requests as long as it is told to.

    Attributes:
        welcoming: whether new connections are let in.
        answer: how it answers a request other than the first; never, by default.
    """

    welcoming: bool = True
    answer: Callable[[asyncio.StreamWriter, bytes], Awaitable[None]] | None = None
    serving: set[asyncio.Task[None]] = field(default_factory=set)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one client until it closes."""
        task = asyncio.current_task()
        assert task is not None
        self.serving.add(task)
        first = True
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                size = int.from_bytes(await reader.readexactly(4))
                correlation_id = (await reader.readexactly(size))[4:8]
                if first and self.welcoming:
                    await _write(writer, correlation_id + _VERSIONS)
                elif not first and self.answer is not None:
                    await self.answer(writer, correlation_id)
                first = False
        writer.close()


async def _write(writer: asyncio.StreamWriter, answer: bytes) -> None:
    writer.write(struct.pack(">i", len(answer)) + answer)
    await writer.drain()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fiftieth of the times."""
    for module in (connection, silence):
        monkeypatch.setattr(module, "LOOK_S", _LOOK_S)
        monkeypatch.setattr(module, "PATIENCE_S", _PATIENCE_S)
    monkeypatch.setattr(connection, "ANEW_TIMEOUT_MS", 50)


def _run(play: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=loop.new_event_loop) as runner:
        runner.run(play)


def _with(broker: _Broker, play: Callable[[Callable[[], Awaitable[Connection]]], Any]) -> None:
    """Runs ``play`` with a way to connect to that broker."""
    install()

    async def serve() -> None:
        server = await asyncio.start_server(broker.accept, "127.0.0.1", 0)
        async with server:
            host, port = server.sockets[0].getsockname()
            made: list[Connection] = []

            async def opened() -> Connection:
                made.append(await create_conn(host, port))
                return made[-1]

            try:
                await play(opened)
            finally:
                for one in made:
                    one.close()
                await asyncio.gather(*broker.serving)

    _run(serve())


@pytest.mark.usefixtures("quick")
def test_a_connection_without_answers_is_closed_where_a_new_one_is_answered() -> None:
    """An idle one that was as quiet goes with it, one that is newer stays."""

    async def play(opened: Callable[[], Awaitable[Connection]]) -> None:
        dead, idle = await opened(), await opened()
        asked = asyncio.ensure_future(dead.send(MetadataRequest([])))
        await asyncio.sleep(_PATIENCE_S / 2)
        newer = await opened()
        with pytest.raises(KafkaConnectionError, match="closed"):
            await asyncio.wait_for(asked, 20 * _PATIENCE_S)
        assert not dead.connected()
        assert not idle.connected()
        assert newer.connected()

    _with(_Broker(), play)


@pytest.mark.usefixtures("quick")
def test_a_connection_stays_where_no_new_one_is_answered() -> None:
    """The broker is away or slow: what was sent may still arrive."""
    broker = _Broker()

    async def play(opened: Callable[[], Awaitable[Connection]]) -> None:
        held = await opened()
        broker.welcoming = False
        asked = asyncio.ensure_future(held.send(MetadataRequest([])))
        await asyncio.sleep(6 * _PATIENCE_S)
        assert held.connected()
        asked.cancel()

    _with(broker, play)


@pytest.mark.usefixtures("quick")
def test_a_connection_stays_while_an_answer_trickles_in() -> None:
    """A slow line is not a dead one."""

    async def drip(writer: asyncio.StreamWriter, correlation_id: bytes) -> None:
        answer = correlation_id + _NOTHING_THERE
        for byte in struct.pack(">i", len(answer)) + answer:
            await asyncio.sleep(_PATIENCE_S / 2)
            writer.write(bytes([byte]))

    async def play(opened: Callable[[], Awaitable[Connection]]) -> None:
        slow = await opened()
        assert (await slow.send(MetadataRequest([]))).topics == []

    _with(_Broker(answer=drip), play)


@pytest.mark.usefixtures("quick")
def test_a_connection_that_is_throttled_stays() -> None:
    """The broker said that it reads nothing here for so long (KIP-219)."""
    broker = _Broker()
    throttle_ms = int(6 * _PATIENCE_S * 1_000)

    async def tell(writer: asyncio.StreamWriter, correlation_id: bytes) -> None:
        broker.answer = None
        await _write(writer, correlation_id + struct.pack(">ih", throttle_ms, 0))

    async def play(opened: Callable[[], Awaitable[Connection]]) -> None:
        broker.answer = tell
        held = await opened()
        told = await held.send(HeartbeatRequest("group", 1, "member"))
        assert told.throttle_time_ms == throttle_ms
        asked = asyncio.ensure_future(held.send(MetadataRequest([])))
        await asyncio.sleep(throttle_ms / 2_000)
        assert held.connected()
        asked.cancel()

    _with(broker, play)
