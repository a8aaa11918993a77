"""A wire between workers and broker that delays, drips, resets, goes silent or forgets."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from tests.net import free_ports

CHUNK_BYTES = 65_536
TIMEOUT_S = 30.0


@dataclass(eq=False, slots=True)
class _Connection:
    """Both ends, and whether the broker's is gone without a word to the client."""

    client: asyncio.StreamWriter
    broker: asyncio.StreamWriter
    orphaned: bool = False


class Wire:
    """A TCP proxy in a thread; leaving the context closes everything.

    Attributes:
        port: where clients connect; the broker's listener must advertise it.
        delay_s: how long each piece takes, either way.
        bytes_per_s: how much goes through a connection, either way; None: all there is.
    """

    def __init__(self) -> None:
        (self.port,) = free_ports(1)
        self.delay_s = 0.0
        self.bytes_per_s: int | None = None
        self._target = ("", 0)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._open = asyncio.Event()
        self._open.set()
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        """``host:port`` for clients."""
        return f"127.0.0.1:{self.port}"

    def start(self, target: str) -> None:
        """Listens, and passes on to the address ``host:port``."""
        host, port = target.rsplit(":", 1)
        self._target = (host, int(port))
        self._thread.start()
        self._call(self._listen())

    def hold(self) -> None:
        """A black hole: nothing goes through, what is sent waits; who connects gets no answer."""
        self._loop.call_soon_threadsafe(self._open.clear)

    def release(self) -> None:
        """What was held goes on, as TCP sends it again."""
        self._loop.call_soon_threadsafe(self._open.set)

    def reset(self) -> None:
        """Resets every connection; clients may connect again."""
        self._call(self._reset())

    def orphan(self) -> None:
        """Half-open: the broker's ends are gone, the clients' stay and get no answer any more."""
        self._call(self._orphan())

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(TIMEOUT_S)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def _reset(self) -> None:
        for one in self._connections:
            one.client.transport.abort()
            one.broker.transport.abort()

    async def _orphan(self) -> None:
        for one in self._connections:
            one.orphaned = True
            one.broker.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with suppress(OSError):
            await self._open.wait()
            there, onward = await asyncio.open_connection(*self._target)
            one = _Connection(writer, onward)
            self._connections.add(one)
            await asyncio.gather(self._carry(one, reader, onward), self._carry(one, there, writer))
            self._connections.discard(one)
        writer.transport.abort()

    async def _carry(
        self, one: _Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Passes on what comes, until either end is gone."""
        with suppress(OSError):
            while chunk := await reader.read(CHUNK_BYTES):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                if self.bytes_per_s:
                    await asyncio.sleep(len(chunk) / self.bytes_per_s)
                await self._open.wait()
                if not one.orphaned:
                    writer.write(chunk)
                    await writer.drain()
        if not one.orphaned:
            one.client.transport.abort()
            one.broker.transport.abort()

    async def _end(self) -> None:
        assert self._server is not None
        self._server.close()
        self._open.set()
        await self._reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def __enter__(self) -> Wire:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
