"""Brings one service of a location to where the registry wants it, again and again."""

from __future__ import annotations

import asyncio
import contextlib
import time

import structlog
from mode import Service as Supervisor

from worker.errors import ConfigError, TransportError
from worker.graph.plan import Plan
from worker.graph.warm import warm
from worker.models.store.store import Store
from worker.services.document import load, verify
from worker.services.fleet import Fleet
from worker.services.records import Service, State, Version
from worker.services.registry import Registry
from worker.services.word import Tell, Word

log = structlog.get_logger(__name__)

RETRY_S = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Pauses before a service is started again that Kafka, the store or its own events stopped."""
STEADY_S = 60.0
"""What was served for so long and stops then is started again after the first pause."""


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
        self.reason = "not loaded yet"
        self._registry, self._fleet, self._store = registry, fleet, store
        self._word = Word(service_id, worker, tell, fleet.tripped)
        self._wake = asyncio.Event()
        self._done: Service | None = None
        self._broken: Exception | None = None
        self._tries = 0
        self._again_s: float | None = None
        self._served_s = 0.0
        self._plans: list[tuple[Plan, int]] = []

    def number(self, plan: Plan) -> int | None:
        """The version that a plan is of; events may be scored by the next one already."""
        return next((number for known, number in self._plans if known is plan), None)

    @property
    def _served_number(self) -> int | None:
        return self.serving.number if self.serving is not None else None

    def look(self) -> None:
        """The registry may want something else now."""
        self._wake.set()

    async def run(self, supervisor: Supervisor, location: str) -> None:
        """Goes on until the location does not have the service any more."""
        structlog.contextvars.bind_contextvars(service=self.id)
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            service = self._registry.services.get(self.id)
            if service is None or service.location != location:
                await self._fleet.remove(self.id, supervisor)
                self._fleet.forget(self.id)
                await self._word.take_back()
                log.info("service_removed")
                return
            if service != self._done:
                self._tries = 0
                self.reason = "" if self.serving is not None else _loading(service.version)
                await self._reach(service, supervisor)
            elif self._broken is not None:
                await self._broke(service, self._broken, supervisor)
            elif self._again_s is not None and loop.time() >= self._again_s:
                await self._reach(service, supervisor)
            await self._word.renew()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(self._again_s):
                    await self._wake.wait()

    async def _reach(self, service: Service, supervisor: Supervisor) -> None:
        """Does what the registry wants; where it cannot be done now, later again."""
        self._broken, self._again_s = None, None
        try:
            if service.wanted == "paused":
                await self._fleet.remove(self.id, supervisor)
                self.serving = None
            else:
                await self._serve(service, supervisor)
        except Exception as error:  # noqa: BLE001 - a service that fails must say so, and alone
            self._broken = None  # told by this error
            await self._fail(service, error, again=isinstance(error, TransportError))
        else:
            self.reason = ""
            self._fleet.failing(self.id, failing=False)
            self._served_s = asyncio.get_running_loop().time()
            await self._report(service, "paused" if service.wanted == "paused" else "serving")
        self._done = service

    async def _broke(self, service: Service, error: Exception, supervisor: Supervisor) -> None:
        """What was served has stopped by itself: says why, and when it is tried again."""
        self._broken, self.serving, self.reason = None, None, _told(error)
        await self._fleet.remove(self.id, supervisor)
        if asyncio.get_running_loop().time() - self._served_s > STEADY_S:
            self._tries = 0
        await self._fail(service, error, again=True)

    async def _fail(self, service: Service, error: Exception, *, again: bool) -> None:
        self.reason = _told(error)
        pause_s = RETRY_S[min(self._tries, len(RETRY_S) - 1)] if again else None
        self._fleet.failing(self.id, failing=True)
        log.error(
            "service_not_served",
            version=service.version,
            reason=self.reason,
            serving=self._served_number,
            again_s=pause_s,
        )
        if pause_s is not None:
            self._tries += 1
            self._again_s = asyncio.get_running_loop().time() + pause_s
        await self._report(service, "failed", self.reason)

    async def _serve(self, service: Service, supervisor: Supervisor) -> None:
        """The version that is wanted, served.

        Raises:
            RtmlError: why it is not; what was served before is served still.
        """
        pump = self._fleet.pumps.get(self.id)
        if pump is not None and pump.failure is not None:
            self.serving, self.reason = None, _told(pump.failure)
            await self._fleet.remove(self.id, supervisor)
            pump = None
        version = self._registry.version(service)
        if pump is not None and version == self.serving:
            if self._done is None or self._done.deprecated == service.deprecated:
                self._fleet.resume(self.id)
            return
        await self._report(service, "loading")
        began_s = time.perf_counter()
        plan = await asyncio.to_thread(self._loaded, version)
        load_s = time.perf_counter() - began_s
        served = [one for one in self._plans if pump is not None and one[0] is pump.plan]
        self._plans = [*served, (plan, version.number)]
        if pump is None:
            await self._start(plan, supervisor)
        elif _way(pump.plan) == _way(plan):
            await pump.unless_failed(pump.swap(plan))
        else:
            await self._replace(pump.plan, plan, version, supervisor)
        self.serving, self._plans = version, [(plan, version.number)]
        self._fleet.meters[self.id].loaded(plan.models, load_s)
        log.info("service_served", version=version.number, graph=version.digest[:12])

    async def _start(self, plan: Plan, supervisor: Supervisor) -> None:
        pump = self._fleet.add(self.id, plan, self._failed, self.look)
        await supervisor.add_runtime_dependency(pump)
        try:
            await pump.until_serving()
        except BaseException:
            await self._fleet.remove(self.id, supervisor)
            raise

    async def _replace(
        self, old: Plan, new: Plan, version: Version, supervisor: Supervisor
    ) -> None:
        """Reads another topic, or delivers otherwise: one pump after the other, in one group.

        Raises:
            RtmlError: why not; the old one is served again.
        """
        served, self.serving, self.reason = self.serving, None, _loading(version.number)
        await self._fleet.remove(self.id, supervisor)
        try:
            await self._start(new, supervisor)
        except Exception:
            self._broken = None
            await self._start(old, supervisor)
            self.serving = served
            raise

    def _loaded(self, version: Version) -> Plan:
        plan = load(version.graph, self._store)
        verify(plan, version.models)
        warm(plan)
        return plan

    def _failed(self, _: str, error: Exception) -> None:
        """The pump stopped by itself; of one that is being taken away nothing more is wanted."""
        if self.id in self._fleet.pumps:
            self._broken = error
            self._wake.set()

    async def _report(self, service: Service, state: State, reason: str = "") -> None:
        await self._word.say(service, state, self._served_number, reason)


def _way(plan: Plan) -> tuple[object, ...]:
    """What is read, and how it is delivered: other plans of it take over between two batches."""
    source = plan.spec.source
    return source.topic, source.isolation, source.start, plan.spec.delivery.guarantee


def _loading(number: int) -> str:
    return f"version {number} is not loaded yet"


def _told(error: Exception) -> str:
    problems = error.problems if isinstance(error, ConfigError) else [error]
    return "; ".join(" ".join(str(one).split()) for one in problems) or type(error).__name__
