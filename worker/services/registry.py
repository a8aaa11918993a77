"""What the two topics say: read record by record, pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pydantic import ValidationError

from worker.errors import ConfigError, Problem, nearest
from worker.services.records import Presence, Service, Status, Version

STALE_MS = 15_000
"""A worker that has not been heard of for so long is gone."""

_VERSION = re.compile(r"(?P<service>[^/]+)/v(?P<number>[1-9][0-9]{0,8})")


class Registry:
    """Services and their versions.

    Attributes:
        services: by id.
        versions: by id, then by number.
        unreadable: key -> why; such a record is skipped, the others are served.
    """

    def __init__(self) -> None:
        self.services: dict[str, Service] = {}
        self.versions: dict[str, dict[int, Version]] = {}
        self.unreadable: dict[str, str] = {}

    def apply(self, key: str, value: bytes | None) -> None:
        """Takes the next record of the topic; ``value`` None deletes what the key names."""
        self.unreadable.pop(key, None)
        match = _VERSION.fullmatch(key)
        if value is None:
            self._delete(key, match)
            return
        try:
            if match is None:
                service = Service.model_validate_json(value)
                _require(service.id == key, f"is of '{service.id}'")
                self.services[key] = service
            else:
                version = Version.model_validate_json(value)
                _require(version.key == key, f"is of '{version.key}'")
                self.versions.setdefault(version.service, {})[version.number] = version
        except ValueError as error:
            self.unreadable[key] = _told(error)

    def _delete(self, key: str, match: re.Match[str] | None) -> None:
        if match is None:
            self.services.pop(key, None)
            return
        versions = self.versions.get(match["service"], {})
        versions.pop(int(match["number"]), None)
        if not versions:
            self.versions.pop(match["service"], None)

    def find(self, service_id: str) -> Service:
        """The service of that id.

        Raises:
            ConfigError: there is none; the nearest ids.
        """
        found = self.services.get(service_id)
        if found is None:
            if service_id in self.unreadable:
                message = f"its record cannot be read: {self.unreadable[service_id]}; delete it"
                raise ConfigError(Problem(service_id, message))
            hint = nearest(service_id, self.services)
            raise ConfigError(Problem(service_id, f"there is no such service{hint}"))
        return found

    def version(self, service: Service, number: int | None = None) -> Version:
        """A version of a service; by default the one that is to run.

        Raises:
            ConfigError: there is none of that number; those that there are.
        """
        wanted = service.version if number is None else number
        known = self.versions.get(service.id, {})
        found = known.get(wanted)
        if found is None:
            unreadable = self.unreadable.get(f"{service.id}/v{wanted}")
            why = f"cannot be read: {unreadable}" if unreadable else "does not exist"
            names = ", ".join(map(str, sorted(known))) or "none"
            message = f"version {wanted} {why}; versions: {names}"
            raise ConfigError(Problem(service.id, message))
        return found

    def next_number(self, service_id: str) -> int:
        """The number of the version to come: never that of an earlier one, readable or not."""
        known = set(self.versions.get(service_id, {}))
        for key in self.unreadable:
            match = _VERSION.fullmatch(key)
            if match is not None and match["service"] == service_id:
                known.add(int(match["number"]))
        return max(known, default=0) + 1


class Statuses:
    """Workers, and how they get on.

    Attributes:
        workers: by id; also those that may be gone.
    """

    def __init__(self) -> None:
        self.workers: dict[str, Presence] = {}
        self._statuses: dict[str, Status] = {}

    def apply(self, key: str, value: bytes | None) -> None:
        """Takes the next record of the topic; one that cannot be read says nothing."""
        if key.startswith("@"):
            self.workers.pop(key[1:], None)
        held = self._statuses.pop(key, None)
        if value is None:
            return
        try:
            if key.startswith("@"):
                presence = Presence.model_validate_json(value)
                _require(presence.key == key, f"is of '{presence.key}'")
                self.workers[presence.worker] = presence
            else:
                status = Status.model_validate_json(value)
                _require(status.key == key, f"is of '{status.key}'")
                # Written once more over another connection, an old word may come last.
                later = held if held is not None and held.at_ms > status.at_ms else status
                self._statuses[key] = later
        except ValueError:
            return

    def live(self, location: str, now_ms: int) -> list[Presence]:
        """The workers of a location that were heard of lately."""
        return [
            worker
            for worker in self.workers.values()
            if worker.location == location and now_ms - worker.at_ms < STALE_MS
        ]

    def of(self, service_id: str, workers: Iterable[Presence]) -> list[Status]:
        """What these workers say of a service; those that say nothing are left out."""
        keys = [f"{service_id}@{worker.worker}" for worker in workers]
        return [self._statuses[key] for key in keys if key in self._statuses]


def _require(fits: bool, why: str) -> None:
    if not fits:
        raise ValueError(why)


def _told(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}".removeprefix(": ")
    return str(error)
