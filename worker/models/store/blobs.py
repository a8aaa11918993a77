"""The bytes of a store's models, each once, under their SHA-256; every read is verified."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from worker.errors import ConfigError, Problem, StoreError
from worker.models.store.files import Files, Told

_PIECE_BYTES = 2**20


class Blobs:
    """``blobs/ab/abcd....onnx``."""

    def __init__(self, files: Files, cache: Path) -> None:
        """``cache``: where copies of blobs that lie elsewhere are kept on this machine."""
        self._files = files
        self._cache = cache

    def add(self, path: Path, sha256: str, told: Told | None = None) -> None:
        """Makes sure that the store has these bytes, whole; a damaged blob is replaced."""
        key = _key(sha256)
        if self._files.size(key) == path.stat().st_size:
            with tempfile.TemporaryDirectory() as folder:
                copy = Path(folder) / "copy"
                if self._files.download(key, copy) and digest(copy) == sha256:
                    return
        self._files.upload(path, key, told)

    def has(self, sha256: str) -> bool:
        """Whether it is there."""
        return self._files.size(_key(sha256)) is not None

    def get(self, sha256: str, path: Path, told: Told | None = None) -> None:
        """Copies the bytes to a file, which appears whole or not at all.

        Raises:
            StoreError: they are not there, or are not those that were pushed.
            ConfigError: the file cannot be written, or would lie within the store.
        """
        if self._files.holds(path):
            message = "lies within the model store, whose files only push writes; name another file"
            raise ConfigError(Problem("", message, str(path)))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=path.parent, prefix=".rtml-") as folder:
                copy = Path(folder) / "copy"
                found = self._files.download(_key(sha256), copy, told)
                self._verify(sha256, digest(copy) if found else None)
                copy.replace(path)
        except OSError as error:
            message = f"cannot be written: {error.strerror or error}"
            raise ConfigError(Problem("", message, str(path))) from error

    def local(self, sha256: str, told: Told | None = None) -> Path:
        """A file of this machine with these bytes: the blob itself, or a copy that is kept.

        Raises:
            StoreError: they are not there, or are not those that were pushed.
        """
        own = self._files.local(_key(sha256))
        if own is not None:
            self._verify(sha256, digest(own))
            return own
        kept = self._cache / f"{sha256}.onnx"
        if digest(kept) != sha256:
            self.get(sha256, kept, told)
        return kept

    def discard(self, sha256: str) -> None:
        """Puts it aside."""
        self._files.move(_key(sha256), _trash(sha256))

    def restore(self, sha256: str) -> None:
        """Takes it back."""
        self._files.move(_trash(sha256), _key(sha256))

    def forget(self, sha256: str) -> None:
        """Deletes what was put aside."""
        self._files.remove(_trash(sha256))

    def _verify(self, sha256: str, found: str | None) -> None:
        if found == sha256:
            return
        what = "is missing" if found is None else f"is damaged (it has {found[:12]})"
        message = (
            f"model store {self._files.shown}: blob {sha256[:12]} {what}; push the model again"
        )
        raise StoreError(message, retriable=False)


def digest(path: Path) -> str | None:
    """The SHA-256 of a file; None where there is none."""
    made = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                made.update(piece)
    except OSError:
        return None
    return made.hexdigest()


def _key(sha256: str) -> str:
    return f"blobs/{sha256[:2]}/{sha256}.onnx"


def _trash(sha256: str) -> str:
    return f"trash/{sha256}.onnx"
