"""A worker at a location: serves what is published there, as the registry wants it."""

from __future__ import annotations

import asyncio
import os
import socket
import time
import uuid
from collections.abc import Callable

import structlog
from mode import Service

from worker.addresses import EVERYWHERE
from worker.errors import TransportError
from worker.models.store.store import Store
from worker.services.fleet import Fleet
from worker.services.journal import Journal
from worker.services.keeper import Keeper
from worker.services.records import Presence, Status
from worker.services.reports import Reports
from worker.settings import Settings

log = structlog.get_logger(__name__)

DEFAULT_LOCATION = "edge"
HEARTBEAT_S = 5.0
BYE_S = 3.0


class Location(Service):
    """Follows the registry and keeps every service of the location.

    Attributes:
        name: of the location.
        store: where its models are.
        worker: this worker's id.
        keepers: by the service's id.
        journal: what the topics say, once read.
        failure: what ended it; None while it goes on.
    """

    mundane_level = "debug"  # that services start and stop is no news

    def __init__(
        self,
        name: str,
        settings: Settings,
        fleet: Fleet,
        store: Store,
        url: Callable[[], str],
        failed: Callable[[Exception], None],
        wait_s: float | None,
    ) -> None:
        """``url``: under which others reach this worker, once it listens."""
        super().__init__()
        self.worker = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:4]}"
        self.keepers: dict[str, Keeper] = {}
        self.journal: Journal | None = None
        self.failure: Exception | None = None
        self.name, self.store = name, store
        self._settings, self._fleet = settings, fleet
        self._url, self._failed, self._wait_s = url, failed, wait_s
        self._waiting = "not connected to Kafka yet"
        self._keeping: dict[str, asyncio.Task[None]] = {}
        self._reports = Reports()
        self._unreadable: dict[str, str] = {}

    def reasons(self) -> list[str]:
        """Why the worker is not ready; empty if it is.

        A service of which an earlier version is served holds nobody up: `troubles` tells of it.
        """
        if self.failure is not None:
            return [f"location '{self.name}': {self.failure}"]
        if self.journal is None:
            return [f"location '{self.name}': {self._waiting}"]
        return [
            f"{keeper.id}: {keeper.reason}"
            for keeper in self.keepers.values()
            if keeper.reason and keeper.serving is None
        ]

    def troubles(self) -> dict[str, str]:
        """Why what is wanted of a service is not reached, by its id; whatever is served of it."""
        return {keeper.id: keeper.reason for keeper in self.keepers.values() if keeper.reason}

    def versions(self) -> dict[str, int]:
        """The version that events are scored by now, by the service's id."""
        numbers = {
            name: self.keepers[name].number(pump.plan)
            for name, pump in self._fleet.pumps.items()
            if name in self.keepers
        }
        return {name: number for name, number in numbers.items() if number is not None}

    @Service.task
    async def _serve(self) -> None:
        if self._settings.advertised_url is None and self._settings.http_host in EVERYWHERE:
            hint = "only this machine reaches that; set RTML_ADVERTISED_URL"
            log.warning("address_unknown", url=self._url(), hint=hint)
        try:
            async with Journal(self._settings, self._wait_s, self._wait) as journal:
                await self._present(journal)
                self.journal = journal
                log.info("location_followed", location=self.name, worker=self.worker)
                try:
                    await self._follow(journal)
                finally:
                    await self._leave(journal)
        except Exception as error:  # noqa: BLE001 - the worker stops and says why
            self._break(error)

    def _break(self, error: Exception) -> None:
        self.failure = error
        log.error("location_failed", location=self.name, error=str(error))
        self._failed(error)

    def _wait(self, reason: str) -> None:
        self._waiting = reason
        log.warning("waiting_for_kafka", reason=reason)

    async def _follow(self, journal: Journal) -> None:
        beating = asyncio.create_task(self._beat(journal))
        try:
            while not self.should_stop:
                self._look(journal)
                await journal.changed()
        finally:
            beating.cancel()

    def _look(self, journal: Journal) -> None:
        """Starts keepers for what is new, and wakes all of them."""
        for service in journal.registry.services.values():
            if service.location == self.name and service.id not in self._keeping:
                self._keep(journal, service.id)
        for keeper in self.keepers.values():
            keeper.look()
        unreadable = dict(journal.registry.unreadable)
        for key in unreadable.keys() - self._unreadable.keys():
            log.error("registry_record_unreadable", key=key, reason=unreadable[key])
        self._unreadable = unreadable

    def _keep(self, journal: Journal, service_id: str) -> None:
        keeper = Keeper(
            service_id, self.worker, journal.registry, self._fleet, self.store, self._tell
        )
        task = asyncio.create_task(keeper.run(self, self.name))
        self.keepers[service_id], self._keeping[service_id] = keeper, task

        def ended(task: asyncio.Task[None]) -> None:
            del self.keepers[service_id], self._keeping[service_id]
            if task.cancelled():
                return
            error = task.exception()
            if error is not None:  # the next record starts another
                log.error("keeper_failed", service=service_id, error=repr(error), exc_info=error)
            elif not self.should_stop:
                self._look(journal)  # it may have been published again meanwhile

        task.add_done_callback(ended)

    async def _tell(self, service_id: str, status: Status | None) -> None:
        if self.journal is not None:
            word = None if status is None else status.model_dump_json().encode()
            await self._reports.tell(self.journal, f"{service_id}@{self.worker}", word)

    async def _beat(self, journal: Journal) -> None:
        try:
            while True:
                await asyncio.sleep(HEARTBEAT_S)
                await self._present(journal)
        except Exception as error:  # noqa: BLE001 - who serves unseen would be taken for gone
            self._break(error)

    async def _present(self, journal: Journal) -> None:
        """Says that it is there; again where that took long: the moment that it named is old."""
        loop = asyncio.get_running_loop()
        late = True
        while late:
            began_s = loop.time()
            here = Presence(
                worker=self.worker,
                location=self.name,
                url=self._url(),
                at_ms=int(time.time() * 1_000),
            )
            await self._reports.tell(journal, here.key, here.model_dump_json().encode())
            late = loop.time() - began_s > HEARTBEAT_S

    async def _leave(self, journal: Journal) -> None:
        """Ends the keepers and says goodbye, so that nobody waits for this worker."""
        for task in self._keeping.values():
            task.cancel()
        await asyncio.gather(*self._keeping.values(), return_exceptions=True)
        try:
            async with asyncio.timeout(BYE_S):
                await self._reports.leave(journal)
        except (TimeoutError, TransportError) as error:
            log.warning("no_goodbye", reason=str(error) or f"no answer within {BYE_S:g} s")
