"""The settings of Kafka clients that no broker is needed to tell."""

from __future__ import annotations

import asyncio

from worker.settings import Settings
from worker.stream import clients


def test_words_have_no_sequence_numbers_to_lose() -> None:
    """A record batch that expires before Kafka has it leaves a gap, and all after it is refused."""

    async def numbered() -> list[bool]:
        made = (clients.teller(Settings()), clients.producer(Settings(), "none", 1_000))
        found = [one._txn_manager is not None for one in made]
        await asyncio.gather(*(one.stop() for one in made))
        return found

    assert asyncio.run(numbered()) == [False, True]
