"""The services of a location, with the names under which Adobe's notebook lists them."""

from __future__ import annotations

import datetime
from typing import Any

from worker.services import deploy
from worker.services.journal import Journal
from worker.services.outcome import Outcome


async def listed(journal: Journal, location: str) -> list[dict[str, Any]]:
    """Each service of a location: what it is, and how its workers get on with it."""
    return [_described(journal, outcome) for outcome in deploy.listed(journal, location)]


def _described(journal: Journal, outcome: Outcome) -> dict[str, Any]:
    service = outcome.service
    versions = journal.registry.versions.get(service.id, {})
    running = versions.get(service.version)
    return {
        "id": service.id,
        "type": service.type,
        "created": _time(service.created_ms),
        "updated": _time(service.updated_ms),
        "deprecated": service.deprecated,
        "name": service.name,
        "location": service.location,
        "version": service.version,
        "versions": sorted(versions),
        "graph": running.digest if running else "",
        "models": dict(running.models) if running else {},
        "url": outcome.url,
        "workers": {status.worker: status.state for status in outcome.statuses},
    }


def _time(epoch_ms: int) -> str:
    moment = datetime.datetime.fromtimestamp(epoch_ms / 1_000, tz=datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
