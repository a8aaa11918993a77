"""What services and locations may be called."""

from __future__ import annotations

from worker.errors import ConfigError, Problem
from worker.services.journal import Journal
from worker.settings import NAME, NAME_RULE


def require_names(service_id: str | None, location: str) -> None:
    """Checks what becomes part of keys, groups and paths.

    Raises:
        ConfigError: each that cannot be used.
    """
    problems = [
        Problem(what, f"'{name}': {NAME_RULE}")
        for what, name in (("--id", service_id), ("--location", location))
        if name is not None and not NAME.fullmatch(name)
    ]
    if problems:
        raise ConfigError(problems)


def require_free(journal: Journal, service_id: str, location: str) -> None:
    """Checks that a service of that id can be published.

    Raises:
        ConfigError: the id or the location cannot be used, or the id is taken.
    """
    require_names(service_id, location)
    if service_id in journal.registry.services:
        message = "there is a service of that id; update it, or choose another --id"
        raise ConfigError(Problem(service_id, message))
