"""A bare pass-through that waits: fetch, send, acknowledge, commit, and only then fetch again."""

from __future__ import annotations

import asyncio

from worker.stream.tools.bench.floor import PassThrough, Ticket, main


class OneBatch(PassThrough):
    """The floor without the overlap."""

    async def _settle(self, ticket: Ticket) -> None:
        offsets, sent = ticket
        await asyncio.gather(*sent)
        await self._consumer.commit(offsets)


if __name__ == "__main__":
    main(OneBatch)
