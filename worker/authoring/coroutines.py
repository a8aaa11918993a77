"""Runs coroutines for code that is not asynchronous, also where a loop runs: in a notebook."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def run(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What the coroutine gives; it runs in a thread and a loop of its own."""
    with _quiet(), ThreadPoolExecutor(max_workers=1, thread_name_prefix="rtml") as pool:
        return pool.submit(lambda: asyncio.run(make())).result()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Kafka's client logs every try of a connection; the error that follows says it once.

    A level that somebody has chosen for it stays.
    """
    client = logging.getLogger("aiokafka")
    level = client.level
    if level == logging.NOTSET:
        client.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        client.setLevel(level)
