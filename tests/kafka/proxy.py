"""A proxy between worker and broker that knows which of Kafka's requests produce."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from types import TracebackType

from tests.net import free_ports

# The first two bytes of a request; see "The Messages: Produce" in Kafka's protocol guide.
PRODUCE = 0
GONE = (asyncio.IncompleteReadError, ConnectionError)


class ProduceProxy:
    """Passes every request on, and lets tests get in the way of those that produce.

    Attributes:
        port: where clients connect; the broker's listener must advertise it.
    """

    def __init__(self) -> None:
        (self.port,) = free_ports(1)
        self._target = ("", 0)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._open = asyncio.Event()
        self._open.set()
        self._forgetting = False
        self.forgotten = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._sessions: set[asyncio.Task[None]] = set()

    def start(self, target: str) -> None:
        """Listen, and pass on to the address ``host:port``."""
        host, port = target.rsplit(":", 1)
        self._target = (host, int(port))
        self._thread.start()
        self._call(self._listen())

    def hold(self) -> None:
        """From now on no request to produce reaches the broker."""
        self._loop.call_soon_threadsafe(self._open.clear)

    def release(self) -> None:
        """What was held goes on."""
        self._loop.call_soon_threadsafe(self._open.set)

    def forget_answers(self, wanted: bool) -> None:
        """Whether the broker's answers to requests to produce are thrown away."""
        self._forgetting = wanted

    def cut(self) -> None:
        """Close every connection; clients may connect again."""
        self._call(self._cut())

    def stop(self) -> None:
        """Close everything."""
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: object) -> None:
        assert asyncio.iscoroutine(work)
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30.0)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def _cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*self._sessions, return_exceptions=True)

    async def _end(self) -> None:
        assert self._server is not None
        self._server.close()
        self._open.set()
        await self._cut()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, onward = await asyncio.open_connection(*self._target)
        produced: set[bytes] = set()
        both = {writer, onward}
        self._writers |= both
        task = asyncio.gather(
            self._requests(reader, onward, produced), self._answers(there, writer, produced)
        )
        session = asyncio.ensure_future(self._finish(task, both))
        self._sessions.add(session)
        session.add_done_callback(self._sessions.discard)

    async def _finish(
        self, task: asyncio.Future[tuple[None, None]], both: set[asyncio.StreamWriter]
    ) -> None:
        with suppress(*GONE):
            await task
        for writer in both:
            writer.transport.abort()
        self._writers -= both
        task.cancel()

    async def _requests(
        self, reader: asyncio.StreamReader, onward: asyncio.StreamWriter, produced: set[bytes]
    ) -> None:
        while True:
            size = await reader.readexactly(4)
            request = await reader.readexactly(int.from_bytes(size))
            if int.from_bytes(request[:2]) == PRODUCE:
                produced.add(request[4:8])
                await self._open.wait()
            onward.write(size + request)
            await onward.drain()

    async def _answers(
        self, there: asyncio.StreamReader, writer: asyncio.StreamWriter, produced: set[bytes]
    ) -> None:
        while True:
            size = await there.readexactly(4)
            answer = await there.readexactly(int.from_bytes(size))
            if self._forgetting and answer[:4] in produced:
                self.forgotten += 1
                continue
            writer.write(size + answer)
            await writer.drain()

    def __enter__(self) -> ProduceProxy:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
