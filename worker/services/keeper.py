"""Brings one service of a location to where the registry wants it, again and again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog
from mode import Service as Supervisor

from worker.errors import ConfigError, TransportError
from worker.graph.plan import Plan
from worker.graph.warm import warm
from worker.models.store.store import Store
from worker.services.document import load, verify
from worker.services.fleet import Fleet
from worker.services.records import Service, State, Status, Version
from worker.services.registry import Registry

log = structlog.get_logger(__name__)

RETRY_S = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Pauses before a service is started again that Kafka or the store stopped."""

Tell = Callable[[str, Status | None], Awaitable[None]]
"""Writes what this worker has to say of a service; None: nothing any more."""


class Keeper:
    """One service at one worker: loads, warms up, swaps, pauses, stops, and reports it.

    Attributes:
        id: of the service.
        serving: the version that events are scored by; None for none.
        reason: why what is wanted is not reached; empty if it is.
    """

    def __init__(
        self,
        service_id: str,
        worker: str,
        registry: Registry,
        fleet: Fleet,
        store: Store,
        tell: Tell,
    ) -> None:
        self.id = service_id
        self.serving: Version | None = None
        self.reason = ""
        self._worker, self._registry = worker, registry
        self._fleet, self._store, self._tell = fleet, store, tell
        self._wake = asyncio.Event()
        self._done: Service | None = None
        self._broken: Exception | None = None
        self._may_try_again = False
        self._tries = 0

    def look(self) -> None:
        """The registry may want something else now."""
        self._wake.set()

    async def run(self, supervisor: Supervisor, location: str) -> None:
        """Goes on until the location does not have the service any more."""
        structlog.contextvars.bind_contextvars(service=self.id)
        while True:
            self._wake.clear()
            service = self._registry.services.get(self.id)
            if service is None or service.location != location:
                await self._fleet.remove(self.id, supervisor)
                await self._tell(self.id, None)
                log.info("service_removed")
                return
            if service != self._done or self._broken is not None:
                await self._reach(service, supervisor)
            await self._sleep()

    async def _sleep(self) -> None:
        """Until there is something to do: another wish, a failure, or time to try again."""
        pause_s = None
        if self.reason and self._may_try_again:
            pause_s = RETRY_S[min(self._tries, len(RETRY_S) - 1)]
        try:
            async with asyncio.timeout(pause_s):
                await self._wake.wait()
        except TimeoutError:
            self._tries += 1
            self._done = None

    async def _reach(self, service: Service, supervisor: Supervisor) -> None:
        self._broken = None
        self._may_try_again = False
        try:
            if service.wanted == "paused":
                await self._fleet.remove(self.id, supervisor)
                self.serving = None
                await self._report(service, "paused")
            else:
                await self._serve(service, supervisor)
                self._tries = 0
                await self._report(service, "serving")
            self.reason = ""
        except Exception as error:  # noqa: BLE001 - a service that fails must say so, and alone
            self.reason = " ".join(str(error).split()) or type(error).__name__
            self._may_try_again = isinstance(error, TransportError)
            log.error("service_not_served", version=service.version, reason=self.reason)
            await self._report(service, "failed", self.reason)
        self._done = service

    async def _serve(self, service: Service, supervisor: Supervisor) -> None:
        """The version that is wanted, served.

        Raises:
            RtmlError: why it is not; what was served before is served still.
        """
        pump = self._fleet.pumps.get(self.id)
        if pump is not None and pump.failure is not None:
            await self._fleet.remove(self.id, supervisor)
            pump, self.serving = None, None
        version = self._registry.version(service)
        if pump is not None and version == self.serving:
            return
        await self._report(service, "loading")
        began_s = time.perf_counter()
        plan = await asyncio.to_thread(self._loaded, version)
        load_s = time.perf_counter() - began_s
        if pump is not None:
            try:
                await pump.swap(plan)
            except ConfigError:
                if pump.plan.spec.source.topic == plan.spec.source.topic:
                    raise
                await self._fleet.remove(self.id, supervisor)
                pump, self.serving = None, None
        if pump is None:
            pump = self._fleet.add(self.id, plan, self._failed)
            await supervisor.add_runtime_dependency(pump)
            try:
                await pump.until_serving()
            except BaseException:
                await self._fleet.remove(self.id, supervisor)
                raise
        self.serving = version
        self._fleet.meters[self.id].loaded(plan.models, load_s)
        log.info("service_served", version=version.number, graph=version.digest[:12])

    def _loaded(self, version: Version) -> Plan:
        plan = load(version.graph, self._store)
        verify(plan, version.models)
        warm(plan)
        return plan

    def _failed(self, _: str, error: Exception) -> None:
        """The pump stopped by itself."""
        self._broken = error
        self._wake.set()

    async def _report(self, service: Service, state: State, reason: str = "") -> None:
        status = Status(
            service=self.id,
            worker=self._worker,
            version=service.version,
            updated_ms=service.updated_ms,
            state=state,
            reason=reason,
            serving=self.serving.number if self.serving is not None else None,
            at_ms=int(time.time() * 1_000),
        )
        await self._tell(self.id, status)
