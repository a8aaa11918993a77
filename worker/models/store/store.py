"""The model store: push, list, find, pull, delete, and what aliases point to."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from worker.errors import ConfigError, Problem
from worker.models.file import ModelFile
from worker.models.limited import Limits
from worker.models.neighbours import ROUNDING, WAY_OUT, said
from worker.models.store.blobs import Blobs
from worker.models.store.catalog import Catalog, Listing
from worker.models.store.entry import Entry
from worker.models.store.files import Told
from worker.models.store.folder import open_files
from worker.models.store.names import Reference, parse, wrong, wrong_push
from worker.models.store.push import Push, Pushed
from worker.models.store.source import taken


class Store:
    """Models by name and version behind a folder or an fsspec URL.

    A push uploads the bytes under their digest, then creates the version's record, which only one
    of several pushes can do. So a push that is killed or refused leaves no version behind, and a
    version that is there is whole. Nothing is held open or locked.

    Attributes:
        url: without credentials.
    """

    def __init__(self, url: str, cache: Path) -> None:
        """Does not connect yet.

        Args:
            url: a folder, or a URL that fsspec knows.
            cache: folder for copies of models that lie elsewhere.

        Raises:
            ConfigError: a URL that cannot be used.
        """
        files = open_files(url)
        self.url = files.shown
        self._catalog = Catalog(files)
        self._blobs = Blobs(files, cache)
        self._push = Push(self._catalog, self._blobs)

    def push(
        self,
        path: Path,
        name: str,
        *,
        version: str | None = None,
        alias: str | None = None,
        metrics: Mapping[str, float] | None = None,
        training_schema: Mapping[str, Any] | None = None,
        coupled: bool = False,
        limits: Limits | None = None,
        told: Told | None = None,
    ) -> Pushed:
        """Inspects a model and makes it a version; the same bytes again are no new one.

        Args:
            path: an ONNX file, or an MLflow model folder.
            name: of the model.
            version: a label; without, the next number.
            alias: is made to point to the version.
            metrics: what was measured in training.
            training_schema: JSON Schema of the events it was trained on.
            coupled: whether an event's result may depend on the events beside it.
            limits: what inspection may cost.
            told: hears how far the upload is.

        Raises:
            ConfigError: every reason to refuse it; the store is as before.
            StoreError: the store cannot be reached.
        """
        _refuse(wrong_push(name, version, alias))
        with tempfile.TemporaryDirectory(prefix="rtml-push-") as folder:
            source, report = taken(path, Path(folder), limits or Limits())
            difference = report.batch_difference
            if difference is not None and difference > ROUNDING and not coupled:
                message = f"{said(difference)}; {WAY_OUT} --coupled"
                raise ConfigError(Problem("", message, str(path)))
            draft = Entry.drafted(
                report,
                source,
                name=name,
                version=version or "",
                metrics=dict(metrics or {}),
                training_schema=training_schema,
            )
            if alias is not None:
                self._refuse_alias(name, alias, version)
            pushed = self._push.add(draft, source.path, told)
        if alias is not None:
            self.set_alias(name, alias, pushed.entry.version)
        return pushed

    def listing(self, name: str | None = None) -> Listing:
        """All models, or one.

        Raises:
            ConfigError: there is no such model.
            StoreError: the store cannot be reached.
        """
        if name is not None:
            _refuse(wrong("name", name, "model"))
        found = self._catalog.listing(name)
        if name is not None and not found.entries and not found.unreadable:
            raise ConfigError(Problem("", self._catalog.unknown_name(name)))
        return found

    def find(self, reference: str) -> Entry:
        """The version that ``name@version`` or ``name@alias`` means now.

        Raises:
            ConfigError: there is none.
            StoreError: the store cannot be reached.
        """
        parts, problems = parse(reference)
        _refuse(problems)
        return self._catalog.find(parts)

    def fetch(self, entry: Entry, told: Told | None = None) -> ModelFile:
        """A verified file of this machine with the version's bytes.

        Raises:
            StoreError: the store cannot be reached, or its bytes are damaged.
        """
        path = self._blobs.local(entry.sha256, told)
        return ModelFile(entry.model_id, path, entry.sha256, entry.batch_difference)

    def pull(self, entry: Entry, path: Path, told: Told | None = None) -> None:
        """Writes a version's verified bytes to a file.

        Raises:
            StoreError: the store cannot be reached, or its bytes are damaged.
            ConfigError: the file cannot be written, or would lie within the store.
        """
        self._blobs.get(entry.sha256, path, told)

    def set_alias(self, name: str, alias: str, version: str) -> Entry:
        """Makes an alias point to a version.

        Raises:
            ConfigError: there is no such version, or a version has that name.
            StoreError: the store cannot be reached.
        """
        problems = wrong("name", name, "model") + wrong("alias", alias, "alias")
        _refuse(problems + wrong("version", version, "version"))
        entry = self._catalog.find(Reference(name, version))
        self._refuse_alias(name, alias, entry.version)
        self._catalog.point(name, alias, entry.version)
        kept = self._catalog.entry(name, entry.version)
        if kept is None or kept.deleted is not None:  # while we were at it
            self._catalog.unpoint(name, alias)
            raise ConfigError(Problem("version", f"{entry.model_id} was deleted"))
        return entry

    def delete(self, reference: str, *, force: bool = False) -> Entry:
        """Deletes a version; its number or label is never used again.

        Args:
            reference: ``name@version``, no alias.
            force: aliases that point to it are deleted as well.

        Raises:
            ConfigError: there is no such version, or an alias points to it.
            StoreError: the store cannot be reached.
        """
        entry = self.find(reference)
        if entry.model_id != reference:
            message = f"is an alias of {entry.model_id}; name the version"
            raise ConfigError(Problem(reference, message))
        aliases = self._catalog.listing(entry.name).aliases_of(entry)
        if aliases and not force:
            message = f"is meant by {', '.join(aliases)}; move the alias, or use --force"
            raise ConfigError(Problem(reference, message))
        for alias in aliases:
            self._catalog.unpoint(entry.name, alias)
        self._catalog.bury(entry)
        self._push.sweep(entry.sha256)
        return entry

    def _refuse_alias(self, name: str, alias: str, version: str | None) -> None:
        """An alias that is a version, or may become one, would hide it."""
        taken = alias == version or self._catalog.entry(name, alias) is not None
        if alias.isdigit() or taken:
            message = f"'{alias}' is a version, or will be one; give the alias another name"
            raise ConfigError(Problem("alias", message))


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise ConfigError(problems)
