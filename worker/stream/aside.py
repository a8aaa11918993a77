"""A thread of a service's own for what takes long.

Those of asyncio load and try models as well, each for seconds: events would wait for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")


class Aside:
    """Does one thing at a time, while the event loop goes on."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "score")

    async def run(self, work: Callable[[], T]) -> T:
        """What it returns; context variables are those of the caller."""
        context = copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: context.run(work))

    def close(self) -> None:
        """Takes nothing more; what runs ends by itself."""
        self._thread.shutdown(wait=False)
