"""A service as data, for commands, HTTP and notebooks."""

from __future__ import annotations

from typing import Any

from worker.services.journal import Journal
from worker.services.outcome import Outcome
from worker.services.records import Version


def described(journal: Journal, outcome: Outcome) -> dict[str, Any]:
    """What is known of a service; times in epoch milliseconds.

    ``id``, ``type``, ``created``, ``updated`` and ``deprecated`` are the names under which Adobe's
    Real-time Machine Learning lists a service; the others are ours.
    """
    service = outcome.service
    versions = journal.registry.versions.get(service.id, {})
    present = versions.get(service.version)
    return {
        "id": service.id,
        "name": service.name,
        "type": service.type,
        "location": service.location,
        "created": service.created_ms,
        "updated": service.updated_ms,
        "deprecated": service.deprecated,
        "wanted": service.wanted,
        "version": service.version,
        "versions": sorted(versions),
        "digest": present.digest if present is not None else None,
        "models": present.models if present is not None else {},
        "url": outcome.url,
        "reached": outcome.reached,
        "problem": outcome.problem,
        "workers": [status.model_dump(exclude={"service"}) for status in outcome.statuses],
    }


def version_described(version: Version) -> dict[str, Any]:
    """One version of a service."""
    return {
        "version": version.number,
        "digest": version.digest,
        "models": version.models,
        "created": version.created_ms,
        "graph": version.graph,
    }
