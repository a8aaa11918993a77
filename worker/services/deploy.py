"""What users do with services: publish, update, roll back, pause, resume, delete, list.

Each change is written to the registry; the workers of the location report how they get on with
it, and that report is the answer.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping

from worker.errors import ConfigError, Problem
from worker.graph.plan import Plan
from worker.graph.spec import GraphSpec
from worker.services.journal import Journal
from worker.services.names import require_free
from worker.services.outcome import Outcome, next_ms, now_ms, outcome_of, settled
from worker.services.records import Service, Version, Wanted
from worker.settings import Settings
from worker.stream import topics
from worker.stream.connect import ask
from worker.stream.terms import WaitingFor

HUB = "hub"


def new_id(name: str) -> str:
    """An id for a service of that name."""
    return f"{name[:110]}-{uuid.uuid4().hex[:8]}"


async def make_topics(
    settings: Settings, plan: Plan, partitions: int, wait_s: float, waiting: WaitingFor
) -> list[str]:
    """Makes the topics of a graph that do not exist; the new ones.

    Raises:
        TransportError: Kafka is not reached in time, or refuses.
    """
    deadline_s = asyncio.get_running_loop().time() + wait_s
    return await ask(
        settings, lambda admin: topics.create(admin, plan, partitions), deadline_s, waiting
    )


async def publish(
    journal: Journal,
    spec: GraphSpec,
    plan: Plan,
    *,
    location: str,
    service_id: str | None = None,
    wait_s: float,
) -> Outcome:
    """Makes a new service of a self-contained graph and waits until it is served.

    Args:
        journal: open.
        spec: see `document.self_contained`.
        plan: of it.
        location: whose workers are to serve it.
        service_id: by default the graph's name and something unique.
        wait_s: how long to wait for the workers.

    Raises:
        ConfigError: the id or the location cannot be used, or the id is taken.
        TransportError: Kafka cannot be reached.
    """
    chosen = service_id or new_id(spec.name)
    moment_ms = now_ms()
    require_free(journal, chosen, location)

    def decide() -> dict[str, bytes | None]:
        require_free(journal, chosen, location)
        version = _version(journal, chosen, spec, plan, moment_ms)
        service = Service(
            id=chosen,
            name=spec.name,
            location=location,
            type="hub" if location == HUB else "edge",
            version=version.number,
            created_ms=moment_ms,
            updated_ms=moment_ms,
        )
        return _records(version, service)

    await journal.change(chosen, decide)
    return await settled(journal, chosen, wait_s)


async def update(
    journal: Journal, service_id: str, spec: GraphSpec, plan: Plan, *, wait_s: float
) -> Outcome:
    """Makes a new version of a service and waits until it is served; until then the old one is.

    Raises:
        ConfigError: there is no such service.
        TransportError: Kafka cannot be reached.
    """

    def decide() -> dict[str, bytes | None]:
        service = journal.registry.find(service_id)
        moment_ms = now_ms()
        version = _version(journal, service_id, spec, plan, moment_ms)
        changed = {"name": spec.name, "version": version.number, "updated_ms": next_ms(service)}
        return _records(version, service.model_copy(update=changed))

    await journal.change(service_id, decide)
    return await settled(journal, service_id, wait_s)


async def rollback(
    journal: Journal, service_id: str, number: int | None, *, wait_s: float
) -> Outcome:
    """Serves an earlier version again; ``number`` None is the one before the present.

    Raises:
        ConfigError: there is no such service or version.
        TransportError: Kafka cannot be reached.
    """

    def decide() -> dict[str, bytes | None]:
        service = journal.registry.find(service_id)
        wanted = number
        if wanted is None:
            known = journal.registry.versions.get(service_id, {})
            earlier = [n for n in known if n < service.version]
            if not earlier:
                raise ConfigError(Problem(service_id, "has no earlier version"))
            wanted = max(earlier)
        journal.registry.version(service, wanted)
        changed = {"version": wanted, "updated_ms": next_ms(service)}
        return _records(None, service.model_copy(update=changed))

    await journal.change(service_id, decide)
    return await settled(journal, service_id, wait_s)


async def want(journal: Journal, service_id: str, wanted: Wanted, *, wait_s: float) -> Outcome:
    """Pauses a service, or lets it go on where it stopped.

    Raises:
        ConfigError: there is no such service.
        TransportError: Kafka cannot be reached.
    """
    return await _changed(journal, service_id, {"wanted": wanted}, wait_s)


async def deprecate(
    journal: Journal, service_id: str, *, deprecated: bool, wait_s: float
) -> Outcome:
    """Marks a service as one to be used no longer, or takes the mark away; raises as `want`."""
    return await _changed(journal, service_id, {"deprecated": deprecated}, wait_s)


async def _changed(
    journal: Journal, service_id: str, fields: Mapping[str, object], wait_s: float
) -> Outcome:
    def decide() -> dict[str, bytes | None]:
        service = journal.registry.find(service_id)
        return _records(None, service.model_copy(update={**fields, "updated_ms": next_ms(service)}))

    await journal.change(service_id, decide)
    return await settled(journal, service_id, wait_s)


async def delete(journal: Journal, service_id: str, *, wait_s: float) -> Outcome:
    """Deletes a service and its versions; workers drain it, its group keeps its offsets.

    Raises:
        ConfigError: there is no such service.
        TransportError: Kafka cannot be reached.
    """
    gone: list[Service] = []

    def decide() -> dict[str, bytes | None]:
        unreadable = journal.registry.unreadable
        if service_id not in unreadable or service_id in journal.registry.services:
            gone[:] = [journal.registry.find(service_id)]
        numbers = journal.registry.versions.get(service_id, {})
        keys = [key for key in unreadable if key.partition("/v")[0] == service_id]
        keys += [f"{service_id}/v{number}" for number in numbers]
        return {service_id: None, **dict.fromkeys(keys)}

    await journal.change(service_id, decide)
    moment_ms = now_ms()
    service = gone[0] if gone else _unknown(service_id, moment_ms)

    def look() -> Outcome | None:
        outcome = left()
        return outcome if outcome.reached else None

    def left() -> Outcome:
        workers = journal.statuses.live(service.location, now_ms())
        statuses = journal.statuses.of(service_id, workers)
        return Outcome(service, workers, statuses, reached=not statuses)

    return await journal.until(look, wait_s) or left()


def _unknown(service_id: str, moment_ms: int) -> Service:
    return Service(
        id=service_id, name="", location="", version=0, created_ms=moment_ms, updated_ms=moment_ms
    )


def listed(journal: Journal, location: str | None = None) -> list[Outcome]:
    """Every service of a location, or of all, with what its workers say; in the order of ids."""
    return [
        outcome_of(journal, service.id)
        for _, service in sorted(journal.registry.services.items())
        if location is None or service.location == location
    ]


def shown(journal: Journal, service_id: str) -> tuple[Outcome, list[Version]]:
    """A service with what its workers say, and all its versions.

    Raises:
        ConfigError: there is no such service.
    """
    journal.registry.find(service_id)
    versions = journal.registry.versions.get(service_id, {})
    return outcome_of(journal, service_id), [versions[number] for number in sorted(versions)]


def _version(
    journal: Journal, service_id: str, spec: GraphSpec, plan: Plan, moment_ms: int
) -> Version:
    return Version(
        service=service_id,
        number=journal.registry.next_number(service_id),
        graph=spec.model_dump(mode="json", by_alias=True),
        digest=plan.digest,
        models=plan.models,
        created_ms=moment_ms,
    )


def _records(version: Version | None, service: Service) -> dict[str, bytes | None]:
    """The version first: a service must never point to one that is not there."""
    found: dict[str, bytes | None] = {}
    if version is not None:
        found[version.key] = version.model_dump_json().encode()
    found[service.id] = service.model_dump_json().encode()
    return found
