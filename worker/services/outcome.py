"""How the workers of a location take what the registry wants of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from worker.services.journal import Journal
from worker.services.records import Presence, Service, State, Status


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the workers of the location took a change.

    Attributes:
        service: as it stands in the registry now.
        workers: those that are there.
        statuses: what they say; one each, unless time was up.
        reached: all of them did what was wanted.
    """

    service: Service
    workers: Sequence[Presence] = ()
    statuses: Sequence[Status] = ()
    reached: bool = False

    @property
    def url(self) -> str:
        """Where the service is scored over HTTP; empty without a worker."""
        serving = {status.worker for status in self.statuses if status.serving is not None}
        urls = [worker.url for worker in self.workers if worker.worker in serving]
        return f"{urls[0]}/services/{self.service.id}/score" if urls else ""

    @property
    def problem(self) -> str:
        """Why the change is not done; empty if it is."""
        where = f"location '{self.service.location}'"
        if self.reached:
            return ""
        if not self.workers:
            start = f"rtml run --location {self.service.location}"
            return f"registered, but no worker serves {where}; start one: {start}"
        failed = [status for status in self.statuses if status.state in ("failed", "tripped")]
        if failed:
            return "; ".join(dict.fromkeys(f"{one.worker}: {one.reason}" for one in failed))
        return f"not all workers of {where} ({len(self.workers)}) have answered yet"


async def settled(journal: Journal, service_id: str, wait_s: float) -> Outcome:
    """What the workers of the location say, once each of them has said it."""

    def look() -> Outcome | None:
        outcome = outcome_of(journal, service_id)
        final = [status for status in outcome.statuses if status.state != "loading"]
        failed = any(status.state == "failed" for status in final)
        done = failed or len(final) == len(outcome.workers)
        return outcome if done else None

    found = await journal.until(look, wait_s)
    return found or outcome_of(journal, service_id)


def outcome_of(journal: Journal, service_id: str) -> Outcome:
    """What is known of a service now.

    Raises:
        ConfigError: there is no such service.
    """
    service = journal.registry.find(service_id)
    workers = journal.statuses.live(service.location, now_ms())
    statuses = [
        status
        for status in journal.statuses.of(service_id, workers)
        if status.updated_ms == service.updated_ms
    ]
    wanted: State = "serving" if service.wanted == "running" else "paused"
    reached = bool(workers) and len(statuses) == len(workers)
    reached = reached and all(status.state == wanted for status in statuses)
    return Outcome(service, workers, statuses, reached)


def now_ms() -> int:
    """Epoch milliseconds."""
    return int(time.time() * 1_000)


def next_ms(service: Service) -> int:
    """Now, but after the latest change: by it workers tell which record they answer."""
    return max(now_ms(), service.updated_ms + 1)
