"""What a worker says of one service, and that it says something else where its breaker turns."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from worker.services.records import Service, State, Status

Tell = Callable[[str, Status | None], Awaitable[None]]
"""Writes what this worker has to say of a service; None: nothing any more."""


class Word:
    """The latest status of a service; one that is served is tripped while no events flow."""

    def __init__(
        self, service_id: str, worker: str, tell: Tell, tripped: Callable[[str], str]
    ) -> None:
        """``tripped``: why events of a service do not flow now; empty while they do."""
        self._id, self._worker, self._tell = service_id, worker, tell
        self._tripped = tripped
        self._why = ""
        self._said: tuple[Service, State, int | None, str] | None = None

    async def say(
        self, service: Service, state: State, serving: int | None, reason: str = ""
    ) -> None:
        """How far the worker is with what a record of the service wants.

        Args:
            service: the record.
            state: how far it is.
            serving: the version that it serves meanwhile.
            reason: why it failed.
        """
        self._said = service, state, serving, reason
        self._why = self._tripped(self._id)
        if state == "serving" and self._why:
            state, reason = "tripped", self._why
        status = Status(
            service=self._id,
            worker=self._worker,
            version=service.version,
            updated_ms=service.updated_ms,
            state=state,
            reason=reason,
            serving=serving,
            at_ms=int(time.time() * 1_000),
        )
        await self._tell(self._id, status)

    async def renew(self) -> None:
        """Says it again where the circuit breaker has opened or closed meanwhile."""
        if self._said is not None and self._tripped(self._id) != self._why:
            await self.say(*self._said)

    async def take_back(self) -> None:
        """Nothing is to be said of it any more."""
        await self._tell(self._id, None)
