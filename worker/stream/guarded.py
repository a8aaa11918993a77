"""A supervised service whose first error is told to who started it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from aiokafka.errors import KafkaError
from mode import Service

from worker.stream.denied import refused

log = structlog.get_logger(__name__)


class Guarded(Service):
    """Base of services that stop alone.

    Attributes:
        name: of the service, bound to all that its tasks log.
        failure: what stopped it; set before ``failed`` is called.
        over: nothing more is expected of its tasks, so that their errors tell nothing.
    """

    mundane_level = "debug"  # that services start and stop is no news

    def __init__(self, name: str, failed: Callable[[Exception], None]) -> None:
        """``failed`` is told once when the service cannot go on."""
        super().__init__()
        self.name = name
        self.failure: Exception | None = None
        self.over = False
        self._failed = failed
        self._ended = asyncio.Event()

    async def guarded(self, task: Coroutine[Any, Any, None]) -> None:
        """Runs a task; its error stops the service."""
        structlog.contextvars.bind_contextvars(service=self.name)
        try:
            await task
        except KafkaError as error:
            self.fail(refused(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the service stops and says so
            self.fail(error)

    def fail(self, error: Exception) -> None:
        """Notes and tells the first error, also one of a drain."""
        if self.failure is None and not self.over:
            self.failure = error
            self._ended.set()
            log.error("service_failed", error=f"{type(error).__name__}: {error}")
            self._failed(error)

    async def unless_failed(self, wanted: Coroutine[Any, Any, None]) -> None:
        """Awaits something, but no longer than the service lives.

        Raises:
            Exception: what stopped the service, else what ``wanted`` raises.
        """
        work, end = asyncio.create_task(wanted), asyncio.create_task(self._ended.wait())
        try:
            await asyncio.wait((work, end), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (work, end):
                task.cancel()
            await asyncio.wait((work, end))
        error = None if work.cancelled() else work.exception()
        if self.failure is not None:
            raise self.failure
        if error is not None:
            raise error
