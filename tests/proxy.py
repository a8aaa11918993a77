"""A TCP proxy in a thread: its listening, its black hole and its end; what passes, others say."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

from tests.net import free_ports

TIMEOUT_S = 30.0


class Proxy:
    """Between clients and a broker; leaving the context closes everything.

    Attributes:
        port: where clients connect; the broker's listener must advertise it.
        target: host and port of the broker.
        opened: set while what comes is passed on.
    """

    def __init__(self) -> None:
        (self.port,) = free_ports(1)
        self.target = ("", 0)
        self.opened = asyncio.Event()
        self.opened.set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        """``host:port`` for clients."""
        return f"127.0.0.1:{self.port}"

    def start(self, target: str) -> None:
        """Listens, and passes on to the address ``host:port``."""
        host, port = target.rsplit(":", 1)
        self.target = (host, int(port))
        self._thread.start()
        self.call(self._listen())

    def hold(self) -> None:
        """From now on what comes waits."""
        self._loop.call_soon_threadsafe(self.opened.clear)

    def release(self) -> None:
        """What was held goes on."""
        self._loop.call_soon_threadsafe(self.opened.set)

    def reset(self) -> None:
        """Resets every connection; clients may connect again."""
        self.call(self.sever())

    def call(self, work: Coroutine[Any, Any, None]) -> None:
        """Returns when the proxy's own thread has done it."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(TIMEOUT_S)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves a client that has connected."""
        raise NotImplementedError

    async def sever(self) -> None:
        """Resets every connection, in the proxy's own thread."""
        raise NotImplementedError

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self.accept, "127.0.0.1", self.port)

    async def end(self) -> None:
        """Closes everything, in the proxy's own thread."""
        if self._server is not None:
            self._server.close()
        self.opened.set()
        await self.sever()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._thread.is_alive():  # else it was never started
            try:
                self.call(self.end())
            finally:
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._thread.join()
        self._loop.close()
