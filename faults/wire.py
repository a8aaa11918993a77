"""A wire between workers and broker that delays, drips, resets, goes silent or forgets."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from tests.proxy import Proxy

CHUNK_BYTES = 65_536


@dataclass(eq=False, slots=True)
class _Connection:
    """Both ends, and whether the broker's is gone without a word to the client."""

    client: asyncio.StreamWriter
    broker: asyncio.StreamWriter
    orphaned: bool = False


class Wire(Proxy):
    """A proxy that holds everything in a black hole, or only slows it down.

    Attributes:
        delay_s: how long each piece takes, either way.
        bytes_per_s: how much goes through a connection, either way; None: all there is.
    """

    def __init__(self) -> None:
        super().__init__()
        self.delay_s = 0.0
        self.bytes_per_s: int | None = None
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def orphan(self) -> None:
        """Half-open: the broker's ends are gone, the clients' stay and get no answer any more."""
        self.call(self._orphan())

    async def sever(self) -> None:
        """Resets every connection."""
        for one in self._connections:
            one.client.transport.abort()
            one.broker.transport.abort()

    async def _orphan(self) -> None:
        for one in self._connections:
            one.orphaned = True
            one.broker.transport.abort()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carries on until either end is gone."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with suppress(OSError):
            await self.opened.wait()
            there, onward = await asyncio.open_connection(*self.target)
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
                await self.opened.wait()
                if not one.orphaned:
                    writer.write(chunk)
                    await writer.drain()
        if not one.orphaned:
            one.client.transport.abort()
            one.broker.transport.abort()

    async def end(self) -> None:
        """Closes everything, what waits in the black hole too."""
        await super().end()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
