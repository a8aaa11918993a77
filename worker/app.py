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

from worker.graph.plan import Plan
from worker.settings import Settings
from worker.stream import health
from worker.stream.link import Terms
from worker.stream.meter import Meter, Meters
from worker.stream.pump import Pump
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
    """

    wait_s: float | None = None
    create_topics: int | None = None


class Worker:
    """One process that serves some graphs.

    Attributes:
        pumps: by service name.
        meters: what each of them counts.
    """

    def __init__(self, plans: Mapping[str, Plan], settings: Settings, options: Options) -> None:
        """``plans`` by service name; each gets its own consumer group."""
        self._stop = asyncio.Event()
        self._failures: dict[str, Exception] = {}
        self._stopping: set[asyncio.Future[None]] = set()
        self._all = Meters()
        self.pumps: dict[str, Pump] = {}
        self.meters: dict[str, Meter] = {}
        for name, plan in plans.items():
            meter = self._all.of(name, plan.spec.source.topic)
            group = settings.group_of(name, alone=len(plans) == 1)
            terms = Terms(settings, plan, group, options.wait_s, options.create_topics)
            self.meters[name] = meter
            self.pumps[name] = Pump(terms, meter, functools.partial(self._failed, name))
        self._plans = dict(plans)
        self.web = Web(settings, self._all.registry, self.reasons, self)

    def _failed(self, name: str, error: Exception) -> None:
        """A service stops alone: the others go on, and readiness says which one it is."""
        self._failures[name] = error
        pump = self.pumps[name]
        if len(self._failures) < len(self.pumps) and pump.link is not None:
            self._stopping.add(asyncio.ensure_future(pump.stop()))  # its partitions go to others
        else:
            self._stop.set()

    def reasons(self) -> list[str]:
        """Why the worker is not ready; empty if it is."""
        return [
            reason for name, pump in self.pumps.items() for reason in health.reasons(name, pump)
        ]

    def served(self) -> dict[str, Served]:
        """What is served, for HTTP: a graph's name is its id."""
        return {
            name: Served(name, name, plan, None, health.state(name, self.pumps[name]))
            for name, plan in self._plans.items()
        }

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
        try:
            await self.web.start()
            await app.start()
            for pump in self.pumps.values():
                await app.add_runtime_dependency(pump)
            # What is loaded by now stays, and records come by thousands without cycles: 4-9 % of
            # the time went into looking at them.
            gc.collect()
            gc.freeze()
            gc.set_threshold(*GC_THRESHOLDS)
            await self._serve(watch)
        finally:
            began_s = loop.time()
            stops = (pump.stop() for pump in self.pumps.values())
            ended = await asyncio.gather(*self._stopping, *stops, return_exceptions=True)
            unknown = next((error for error in ended if isinstance(error, Exception)), None)
            await app.stop()
            await self.web.stop()
            loop.remove_signal_handler(signal.SIGTERM)
            log.info("worker_stopped", drain_s=round(loop.time() - began_s, 3), **self.totals())
        failure = next(iter(self._failures.values()), unknown)
        if failure is not None:
            raise failure

    def totals(self) -> dict[str, int]:
        """Events received, scored, dropped, dead-lettered and lost since the start."""
        names = ("received", "scored", "dropped", "dead", "lost")
        return {n: sum(getattr(meter, n) for meter in self.meters.values()) for n in names}

    def lag(self) -> int:
        """Events behind the end of the log, over all partitions of this worker."""
        return sum(pump.link.total_lag() for pump in self.pumps.values() if pump.link is not None)

    async def _serve(self, watch: Callable[[], None] | None) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WATCH_S):
                    await self._stop.wait()
            if watch is not None:
                watch()

    def _signalled(self, number: int) -> None:
        log.info("stopping", signal=signal.Signals(number).name)
        self._stop.set()
