"""A push becomes a version: the bytes first, then the record, which only one push can create."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from worker.errors import ConfigError, Problem, StoreError
from worker.models.store.blobs import Blobs
from worker.models.store.catalog import Catalog
from worker.models.store.entry import Entry
from worker.models.store.files import Told

_MOST_TRIES = 1_000


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of a push.

    Attributes:
        entry: the version that has the bytes.
        new: False where the store had it already.
    """

    entry: Entry
    new: bool


class Push:
    """Adds versions beside others who do the same at the same time, and takes away bytes."""

    def __init__(self, catalog: Catalog, blobs: Blobs) -> None:
        self._catalog = catalog
        self._blobs = blobs

    def add(self, draft: Entry, path: Path, told: Told | None) -> Pushed:
        """Makes the draft a version; without one it takes the next number.

        Args:
            draft: what is known of the model; its version is empty where the next is to be taken.
            path: its bytes, in a file that nobody changes.
            told: hears how far the upload is.

        Raises:
            ConfigError: its version is taken by other bytes.
            StoreError: the store cannot be reached.
        """
        pushed = self._known(draft)
        self._blobs.add(path, draft.sha256, told)
        if pushed is not None:
            return pushed
        try:
            pushed = self._created(draft)
        except ConfigError:
            self.sweep(draft.sha256)
            raise
        # Who deleted the last version with these bytes may have taken them away in between.
        if not self._blobs.has(draft.sha256):
            self._blobs.add(path, draft.sha256, told)
        return pushed

    def sweep(self, sha256: str) -> None:
        """Deletes bytes that no version has any more.

        They are put aside before the records are read for the last time. A push that comes between
        has its record there, so that they are taken back; or it looks later, and adds them again.
        """
        if self._is_used(sha256):
            return
        self._blobs.discard(sha256)
        if self._is_used(sha256):
            self._blobs.restore(sha256)
        else:
            self._blobs.forget(sha256)

    def _is_used(self, sha256: str) -> bool:
        return any(entry.sha256 == sha256 for entry in self._catalog.listing().entries)

    def _known(self, draft: Entry) -> Pushed | None:
        """The version that has these bytes already."""
        if not draft.version:
            entries = self._catalog.listing(draft.name).entries
            same = [entry for entry in entries if entry.sha256 == draft.sha256]
            return Pushed(same[-1], new=False) if same else None
        if self._catalog.points_to(draft.name, draft.version) is not None:
            message = f"'{draft.version}' is an alias of {draft.name}; give another version"
            raise ConfigError(Problem("--version", message))
        entry = self._catalog.entry(draft.name, draft.version)
        return None if entry is None else _same(draft, entry)

    def _created(self, draft: Entry) -> Pushed:
        if draft.version:
            if self._catalog.create(draft):
                return Pushed(draft, new=True)
            other = self._catalog.entry(draft.name, draft.version)
            return _same(draft, other or draft)
        for _ in range(_MOST_TRIES):
            numbers = [int(v) for v in self._catalog.versions(draft.name) if v.isdecimal()]
            entry = draft.model_copy(update={"version": str(max(numbers, default=0) + 1)})
            if self._catalog.create(entry):
                return Pushed(entry, new=True)
        message = f"no version of {draft.name} could be taken in {_MOST_TRIES} tries"
        raise StoreError(message, retriable=True)


def _same(draft: Entry, entry: Entry) -> Pushed:
    """The version that is there, if it has the same bytes."""
    if entry.deleted is not None:
        message = f"{entry.model_id} was deleted; a version is never used twice"
    elif entry.sha256 != draft.sha256:
        message = (
            f"{entry.model_id} has other bytes (sha256 {entry.sha256[:12]}, these have "
            f"{draft.sha256[:12]}); a version never changes: push the next one"
        )
    else:
        return Pushed(entry, new=False)
    raise ConfigError(Problem("--version", message))
