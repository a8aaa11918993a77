"""A bare pass-through that waits: fetch, send, acknowledge, commit, and only then fetch again."""

from __future__ import annotations

import asyncio
import sys

from bench.floor import PassThrough, Ticket, main
from worker.loop import new_event_loop


class OneBatch(PassThrough):
    """The floor without the overlap."""

    async def _settle(self, ticket: Ticket) -> None:
        offsets, sent = ticket
        await asyncio.gather(*sent)
        await self._consumer.commit(offsets)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main(OneBatch, *sys.argv[1:5]))
