"""The files of a store in a folder: every write is whole, or is not there."""

from __future__ import annotations

import os
import shutil
import uuid
from contextlib import suppress
from pathlib import Path

from worker.models.store.files import Files, Told

_PIECE_BYTES = 2**20


class Folder(Files):
    """Writes go to a file of another name first, which a link or a rename puts in its place.

    What a killed process leaves behind lies in ``tmp`` and is never read.
    """

    def holds(self, path: Path) -> bool:
        """Whether a file would lie within the store, links followed."""
        return path.resolve().is_relative_to(Path(self._root).resolve())

    def create(self, key: str, data: bytes) -> bool:
        """Writes a file that must not be there yet; False where it is."""
        with self._doing("writing"):
            draft, target = self._draft(data), self._target(key)
            try:
                os.link(draft, target)  # unlike a rename, never over a file that is there
            except FileExistsError:
                return False
            finally:
                draft.unlink()
            _sync(target.parent)
        return True

    def replace(self, key: str, data: bytes) -> None:
        """Writes a file, whatever is there."""
        with self._doing("writing"):
            target = self._target(key)
            self._draft(data).replace(target)
            _sync(target.parent)

    def upload(self, path: Path, key: str, told: Told | None = None) -> None:
        """Copies a file into the store; it appears whole or not at all."""
        with self._doing("uploading"):
            draft, target = self._draft(b""), self._target(key)
            try:
                _copy(path, draft, told)
                draft.replace(target)
            finally:
                draft.unlink(missing_ok=True)
            _sync(target.parent)

    def download(self, key: str, path: Path, told: Told | None = None) -> bool:
        """Copies a file of the store; False where there is none."""
        with self._doing("downloading"):
            try:
                _copy(Path(self._path(key)), path, told)
            except FileNotFoundError:
                return False
        return True

    def move(self, key: str, to: str) -> None:
        """Gives a file another key, if it is there."""
        with self._doing("moving"), suppress(FileNotFoundError):
            Path(self._path(key)).replace(self._target(to))

    def local(self, key: str) -> Path | None:
        """Where the file lies."""
        return Path(self._path(key))

    def _need_container(self) -> None:
        """A folder is made when the first model comes."""

    def _target(self, key: str) -> Path:
        path = Path(self._path(key))
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _draft(self, data: bytes) -> Path:
        folder = Path(self._path("tmp"))
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / uuid.uuid4().hex
        with path.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        return path


def open_files(url: str) -> Files:
    """The files of a store: a folder's, or behind a URL.

    Raises:
        ConfigError: a URL that cannot be used.
    """
    plain = url.removeprefix("file://")
    return Files(url) if "://" in plain else Folder(str(Path(plain).expanduser().absolute()))


def _copy(source: Path, target: Path, told: Told | None) -> None:
    with source.open("rb") as read, target.open("wb") as write:
        size = os.fstat(read.fileno()).st_size
        if told is None:
            shutil.copyfileobj(read, write, _PIECE_BYTES)
        else:
            while piece := read.read(_PIECE_BYTES):
                write.write(piece)
                told(write.tell(), size)
        write.flush()
        os.fsync(write.fileno())


def _sync(folder: Path) -> None:
    """Makes the folder's new entry outlive a loss of power."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
