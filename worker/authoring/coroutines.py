"""Runs coroutines for code that is not asynchronous, also where a loop runs: in a notebook."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def run(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What the coroutine gives; it runs in a thread and a loop of its own."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="rtml") as pool:
        return pool.submit(lambda: asyncio.run(make())).result()
