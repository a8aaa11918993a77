"""The records of a store: which versions a model has, and what its aliases point to."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass

from worker.errors import ConfigError, Problem, StoreError, nearest
from worker.models.store.entry import Entry
from worker.models.store.files import Files
from worker.models.store.names import Reference

_MODELS = "models"
_VERSIONS = "versions"
_ALIASES = "aliases"
_SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class Listing:
    """What a store holds.

    Attributes:
        entries: by name, then in the order in which they were pushed.
        aliases: ``(name, alias)`` -> version.
        unreadable: what is wrong with records that cannot be read.
    """

    entries: tuple[Entry, ...]
    aliases: dict[tuple[str, str], str]
    unreadable: tuple[str, ...]

    def aliases_of(self, entry: Entry) -> list[str]:
        """The aliases that point to a version."""
        own = (entry.name, entry.version)
        return [a for (name, a), version in self.aliases.items() if (name, version) == own]


class Catalog:
    """``models/NAME/versions/VERSION.json`` is created once; ``.../aliases/ALIAS.json`` changes."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def create(self, entry: Entry) -> bool:
        """Takes the entry's version for it; False where somebody else has it."""
        return self._files.create(_key(entry.name, _VERSIONS, entry.version), entry.encoded())

    def bury(self, entry: Entry) -> None:
        """Notes that a version was deleted."""
        entry = entry.model_copy(update={"deleted": datetime.datetime.now(datetime.UTC)})
        self._files.replace(_key(entry.name, _VERSIONS, entry.version), entry.encoded())

    def entry(self, name: str, version: str) -> Entry | None:
        """The record of a version, also of a deleted one.

        Raises:
            StoreError: it cannot be read.
        """
        data = self._files.read(_key(name, _VERSIONS, version))
        return None if data is None else Entry.decoded(data, name, version)

    def versions(self, name: str) -> list[str]:
        """The versions that a model has, or had."""
        return self._names(f"{_MODELS}/{name}/{_VERSIONS}")

    def points_to(self, name: str, alias: str) -> str | None:
        """The version that an alias means."""
        data = self._files.read(_key(name, _ALIASES, alias))
        return None if data is None else _version(data, f"{name}@{alias}")

    def point(self, name: str, alias: str, version: str) -> None:
        """Makes an alias mean a version."""
        self._files.replace(_key(name, _ALIASES, alias), json.dumps({"version": version}).encode())

    def unpoint(self, name: str, alias: str) -> None:
        """Takes an alias away."""
        self._files.remove(_key(name, _ALIASES, alias))

    def find(self, reference: Reference) -> Entry:
        """The version that a reference means.

        Raises:
            ConfigError: there is none; with the nearest name, or the versions there are.
            StoreError: the store cannot be reached, or the record cannot be read.
        """
        name, version = reference.name, reference.revision
        entry = self.entry(name, version)
        if entry is None:
            meant = self.points_to(name, version)
            if meant is None:
                raise ConfigError(Problem("", self._unknown(reference)))
            version, entry = meant, self.entry(name, meant)
        if entry is None or entry.deleted is not None:
            which = "" if version == reference.revision else f" ({name}@{version})"
            message = f"'{reference}'{which} was deleted{self._known(name)}"
            raise ConfigError(Problem("", message))
        return entry

    def listing(self, name: str | None = None) -> Listing:
        """All models, or one."""
        keys = self._files.keys(_MODELS if name is None else f"{_MODELS}/{name}")
        entries: list[Entry] = []
        aliases: dict[tuple[str, str], str] = {}
        unreadable: list[str] = []
        for key, data in self._files.read_all(key for key in keys if key.count("/") == 3).items():
            _, owner, kind, rest = key.split("/")
            own = rest.removesuffix(_SUFFIX)
            try:
                if kind == _VERSIONS:
                    entries.append(Entry.decoded(data, owner, own))
                elif kind == _ALIASES:
                    aliases[owner, own] = _version(data, f"{owner}@{own}")
            except StoreError as error:
                unreadable.append(str(error))
        live = [entry for entry in entries if entry.deleted is None]
        live.sort(key=lambda entry: (entry.name, entry.created, entry.version))
        return Listing(tuple(live), dict(sorted(aliases.items())), tuple(unreadable))

    def unknown_name(self, name: str) -> str:
        """That there is no such model, with the nearest."""
        known = sorted({key.split("/")[1] for key in self._files.keys(_MODELS)})
        way_out = nearest(name, known) or "; it is empty: rtml model push"
        return f"the store {self._files.shown} has no model '{name}'{way_out}"

    def _unknown(self, reference: Reference) -> str:
        known = self._known(reference.name)
        if not known:
            return self.unknown_name(reference.name)
        return f"'{reference.name}' has no version or alias '{reference.revision}'{known}"

    def _known(self, name: str) -> str:
        listing = self.listing(name)
        aliases = [f"{alias} ({version})" for (_, alias), version in listing.aliases.items()]
        shown = [entry.version for entry in listing.entries][-20:] + aliases[:20]
        return f"; it has: {', '.join(shown)}" if shown else ""

    def _names(self, prefix: str) -> list[str]:
        return [k.rpartition("/")[2].removesuffix(_SUFFIX) for k in self._files.keys(prefix)]


def _key(name: str, kind: str, own: str) -> str:
    return f"{_MODELS}/{name}/{kind}/{own}{_SUFFIX}"


def _version(data: bytes, alias: str) -> str:
    try:
        found = json.loads(data)["version"]
        if isinstance(found, str):
            return found
    except (ValueError, KeyError, TypeError):
        pass
    raise StoreError(f"the record of {alias} cannot be read", retriable=False)
