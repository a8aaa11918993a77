"""A connection that breaks under a request, on the worker's own event loop."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest
from aiokafka.conn import create_conn
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest

from worker import loop
from worker.stream.connection import Connection, install

# The answer to ApiVersions: no error, and one API, Metadata (3) in versions 0 and 1.
_VERSIONS = struct.pack(">hihhh", 0, 1, 3, 0, 1)
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

    with asyncio.Runner(loop_factory=loop.new_event_loop) as runner:
        runner.run(break_under_a_request())
    assert [type(error) for error in raised] == [KafkaConnectionError]
