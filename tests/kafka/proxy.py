"""A proxy between worker and broker that knows which of Kafka's requests produce."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tests.proxy import Proxy

# The first two bytes of a request; see "The Messages: Produce" in Kafka's protocol guide.
PRODUCE = 0
GONE = (asyncio.IncompleteReadError, ConnectionError)


class ProduceProxy(Proxy):
    """Passes every request on; `hold` holds back those that produce, and no others.

    Attributes:
        forgotten: answers that were thrown away.
    """

    def __init__(self) -> None:
        super().__init__()
        self.forgotten = 0
        self._forgetting = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._sessions: set[asyncio.Task[None]] = set()

    def forget_answers(self, wanted: bool) -> None:
        """Whether the broker's answers to requests to produce are thrown away."""
        self._forgetting = wanted

    async def sever(self) -> None:
        """Resets every connection, and waits for its end."""
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*self._sessions, return_exceptions=True)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connects to the broker, and passes on from then on."""
        there, onward = await asyncio.open_connection(*self.target)
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
                await self.opened.wait()
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
