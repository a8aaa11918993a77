"""The worker process: services composed and supervised by a faust App, under our own runner.

faust's own ``Worker`` is not used: it exits 0 on SIGINT and 1 on everything else, redirects
stdout, and writes a data folder. Its consumer and producer are not used either; see ``stream``.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import logging
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import faust
import structlog
from faust.app.base import BootStrategy
from faust.types.settings import Settings as FaustSettings

from worker import bounds
from worker.errors import TransportError
from worker.graph.plan import Plan
from worker.models import accepted, threads
from worker.models.store.store import Store
from worker.models.watchdog import watchdog
from worker.places import accepted_folder
from worker.services.fleet import Fleet
from worker.services.location import DEFAULT_LOCATION, Location
from worker.settings import Settings
from worker.stream import health
from worker.stream.meter import Meters
from worker.web.catalogue import Served
from worker.web.server import Web

log = structlog.get_logger(__name__)

WATCH_S = 0.2
GC_THRESHOLDS = (50_000, 20, 100)


class _Boot(BootStrategy):
    """No faust consumer, producer or web server: those are our own services."""

    enable_kafka_consumer = False
    enable_kafka_producer = False
    enable_web = False


class _App(faust.App):
    """Composes and supervises; writes no data folder."""

    BootStrategy = _Boot
    mundane_level = "debug"  # that services start and stop is no news
    logger = logging.getLogger("faust")  # not this module's: its words are not ours

    async def on_first_start(self) -> None:
        """faust would make a folder in the working directory, which may be read-only."""


def _app() -> _App:
    """The App without faust's variables: Kubernetes makes ``WEB_PORT`` for a service named web."""
    for setting in FaustSettings.SETTINGS.values():
        if setting.env_name is not None:
            os.environ.pop(setting.env_name, None)
    return _App("rtml", broker="kafka://", autodiscover=False)


@dataclass(frozen=True, slots=True)
class Options:
    """How the worker is started, beside its settings.

    Attributes:
        wait_s: give up reaching Kafka after so long; None waits for ever.
        create_topics: make missing topics with this many partitions; None refuses to start.
        store: opens the model store; then the services of a location are served.
    """

    wait_s: float | None = None
    create_topics: int | None = None
    store: Callable[[], Store] | None = None


class Worker:
    """One process that serves some graphs, or what is published to its location.

    Attributes:
        fleet: the services.
        location: follows the registry; None where graphs are served.
        web: the HTTP server.
    """

    def __init__(self, plans: Mapping[str, Plan], settings: Settings, options: Options) -> None:
        """``plans`` by service name; each gets its own consumer group."""
        bounds.use(settings)
        accepted.use(accepted_folder(os.environ))
        threads.use(settings.model_threads)  # of models that are loaded later, with a service
        self._stop = asyncio.Event()
        self._failures: dict[str, Exception] = {}
        self._stopping: set[asyncio.Future[None]] = set()
        meters = Meters()
        self.fleet = Fleet(
            settings, meters, wait_s=options.wait_s, create_topics=options.create_topics
        )
        for name, plan in plans.items():
            self.fleet.add(name, plan, self._failed, alone=len(plans) == 1)
        self.web = Web(settings, meters.registry, self.reasons, self, place=lambda: self.location)
        self.location: Location | None = None
        if options.store is not None:
            self.location = Location(
                settings.location or DEFAULT_LOCATION,
                settings,
                self.fleet,
                options.store(),
                lambda: settings.advertised_url or self.web.url,
                functools.partial(self._failed, ""),
                options.wait_s,
            )

    def _failed(self, name: str, error: Exception) -> None:
        """A service stops alone: the others go on, and readiness says which one it is."""
        self._failures[name] = error
        pump = self.fleet.pumps.get(name)
        if len(self._failures) < len(self.fleet.pumps) and pump is not None and pump.link:
            self._stopping.add(asyncio.ensure_future(pump.stop()))  # its partitions go to others
        else:
            self._stop.set()

    def reasons(self) -> list[str]:
        """Why the worker is not ready; empty if it is."""
        of_location = self.location.reasons() if self.location is not None else []
        return [*of_location, *self.fleet.reasons()]

    def served(self) -> dict[str, Served]:
        """What is served, for HTTP: a graph that was given at the start has its name for an id."""
        versions = self.location.versions() if self.location is not None else {}
        troubles = self.location.troubles() if self.location is not None else {}
        return {
            name: Served(
                name,
                pump.plan.spec.name,
                pump.plan,
                versions.get(name),
                health.state(name, pump),
                troubles.get(name) or pump.switch.reason,
            )
            for name, pump in self.fleet.pumps.items()
        }

    def resume(self, service: str) -> None:
        """Lets events of a service flow again whose circuit breaker is open."""
        self.fleet.resume(service)

    def stop(self) -> None:
        """Asks for a draining stop."""
        self._stop.set()

    async def run(self, watch: Callable[[], None] | None = None) -> None:
        """Serves until SIGTERM or `stop`; drains.

        Args:
            watch: called five times a second while serving, to show a status.

        Raises:
            RtmlError: what made the first service stop, after the others are drained.
        """
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._signalled, signal.SIGTERM)
        app = _app()
        watchdog.hopeless = self._hopeless
        services = [
            *([self.location] if self.location is not None else []),
            *self.fleet.pumps.values(),
        ]
        try:
            await self.web.start()
            await app.start()
            for service in services:
                await app.add_runtime_dependency(service)
            # What is loaded by now stays, and records come by thousands without cycles: 4-9 % of
            # the time went into looking at them.
            gc.collect()
            gc.freeze()
            gc.set_threshold(*GC_THRESHOLDS)
            await self._serve(watch)
        finally:
            began_s = loop.time()
            stops = (service.stop() for service in services)
            ended = await asyncio.gather(*self._stopping, *stops, return_exceptions=True)
            unknown = next((error for error in ended if isinstance(error, Exception)), None)
            await app.stop()
            await self.web.stop()
            loop.remove_signal_handler(signal.SIGTERM)
            totals = self.fleet.totals()
            log.info("worker_stopped", drain_s=round(loop.time() - began_s, 3), **totals)
        failure = next(iter(self._failures.values()), unknown) or self._undrained()
        if failure is not None:
            raise failure

    def _undrained(self) -> TransportError | None:
        """That Kafka did not take what was in flight; it is read again by whoever is next."""
        left = {name: pump.left for name, pump in self.fleet.pumps.items() if pump.left}
        if not left:
            return None
        log.error("drain_unfinished", uncommitted_events=left)
        count = sum(left.values())
        told = f"the drain was given up: Kafka has not taken {count} events in flight in time"
        return TransportError(f"{told}; the next worker reads them again", retriable=True)

    async def _serve(self, watch: Callable[[], None] | None) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WATCH_S):
                    await self._stop.wait()
            if watch is not None:
                watch()

    @staticmethod
    def _hopeless(seconds: float) -> None:
        """Nothing ends a run of a model: no offset of it is committed, and the thread is lost."""
        log.critical(
            "model_never_returns",
            seconds=round(seconds, 1),
            hint="the worker ends with code 1; another one reads those events again",
        )
        os._exit(1)

    def _signalled(self, number: int) -> None:
        log.info("stopping", signal=signal.Signals(number).name)
        self._stop.set()
