"""What this worker says in the status topic: written until Kafka has it, and before it expires."""

from __future__ import annotations

import asyncio
import time

import structlog

from worker.errors import TransportError
from worker.services.journal import Journal

log = structlog.get_logger(__name__)

RENEW_S = 3_600.0
"""The topic forgets what is a day old, though it still holds."""


class Reports:
    """The latest word of this worker under each of its keys."""

    def __init__(self) -> None:
        self._words: dict[str, bytes | None] = {}
        self._due_s: dict[str, float] = {}
        self._writing = asyncio.Lock()

    async def tell(self, journal: Journal, key: str, word: bytes | None) -> None:
        """Writes a word; None deletes the one before. What Kafka refuses is left to `renew`."""
        self._words[key], self._due_s[key] = word, 0.0
        await self.renew(journal)

    async def renew(self, journal: Journal) -> None:
        """Writes what is not written yet, and what is to be written again."""
        async with self._writing:
            now_s = time.monotonic()
            due = {key: word for key, word in self._words.items() if self._due_s[key] <= now_s}
            try:
                await journal.tell(due)
            except TransportError as error:
                log.warning("status_not_written", error=str(error))
                return
            for key, word in due.items():
                if self._words[key] is not word:  # said meanwhile, and written next
                    continue
                if word is None:
                    del self._words[key], self._due_s[key]
                else:
                    self._due_s[key] = now_s + RENEW_S

    async def leave(self, journal: Journal) -> None:
        """Takes back every word.

        Raises:
            TransportError: Kafka did not take it.
        """
        await journal.tell(dict.fromkeys(self._words))
