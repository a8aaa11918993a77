"""Following the topics of the services."""

from __future__ import annotations

import asyncio

import pytest

from tests.services.support import Memory, run
from worker.errors import TransportError


def test_who_comes_too_late_hears_of_the_end() -> None:
    """A journal that is followed no longer says so also to whom begins to wait for it then."""

    async def wait() -> None:
        journal = Memory()
        journal.failure = RuntimeError("no access")
        async with asyncio.timeout(5.0):
            await journal.changed()

    with pytest.raises(TransportError, match="cannot be read: no access"):
        run(wait())
