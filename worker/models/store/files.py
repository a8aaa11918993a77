"""The files of a store behind any fsspec URL. The only user of fsspec."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import fsspec
from fsspec.callbacks import Callback

from worker.errors import ConfigError, Problem, StoreError, nearest

Told = Callable[[int, int], None]
"""Is told how many bytes of how many are done."""

# What another process writes must be seen at once; and a client made before the credentials
# changed must not be found again.
_OPTIONS: dict[str, Any] = {"use_listings_cache": False, "skip_instance_cache": True}
_S3: dict[str, Any] = {
    "config_kwargs": {
        "connect_timeout": 5,
        "read_timeout": 30,
        "retries": {"max_attempts": 2, "mode": "standard"},
    }
}


def _without_credentials(url: str) -> str:
    """A URL to be shown; keys that were not quoted may hold slashes, and a query may be a key."""
    return re.sub(r"\?.*", "?...", re.sub(r"://([^/]*@|[^@]*:[^@]*@)", "://", url))


class Files:
    """Reads and writes by key; a key is a path below the store's root.

    Attributes:
        shown: the URL without credentials.
    """

    def __init__(self, url: str) -> None:
        """Does not connect yet.

        Raises:
            ConfigError: a URL of an unknown kind, or one whose library is not installed.
        """
        self.shown, self._url = _without_credentials(url), url
        protocol = url.partition("://")[0]
        try:
            options = _OPTIONS | (_S3 if protocol in ("s3", "s3a") else {})
            self._fs, root = fsspec.core.url_to_fs(url, **options)
        except ImportError as error:
            extra = "rtml-worker[s3]" if protocol in ("s3", "s3a") else f"fsspec for {protocol}"
            message = f"needs a library that is not installed: pip install '{extra}'"
            raise ConfigError(Problem("", message, self.shown)) from error
        except ValueError as error:
            hint = nearest(protocol, ["file", "s3", "gs", "abfs", "memory"])
            raise ConfigError(
                Problem("", f"is no URL of a model store{hint}", self.shown)
            ) from error
        self._root = str(root).rstrip("/")

    def holds(self, path: Path) -> bool:  # noqa: ARG002 - for a folder of this machine
        """Whether a file of this machine would lie within the store."""
        return False

    def read(self, key: str) -> bytes | None:
        """The content, None where there is no such file."""
        with self._doing("reading"):
            try:
                data: bytes = self._fs.cat_file(self._path(key))
            except (FileNotFoundError, IsADirectoryError):
                return None
        return data

    def read_all(self, keys: Iterable[str]) -> dict[str, bytes]:
        """The contents of those that are there, side by side where the backend can."""
        paths = {self._path(key): key for key in keys}
        with self._doing("reading"):
            found = self._fs.cat(list(paths), on_error="return") if paths else {}
            for value in found.values():
                if isinstance(value, Exception) and not isinstance(value, FileNotFoundError):
                    raise value
        return {paths[p]: v for p, v in found.items() if isinstance(v, bytes)}

    def keys(self, prefix: str) -> list[str]:
        """All keys below a prefix, sorted."""
        with self._doing("listing"):
            try:
                found = self._fs.find(self._path(prefix))
            except FileNotFoundError:
                found = []
            if not found:
                self._need_container()
        return sorted(str(path)[len(self._root) + 1 :] for path in found)

    def create(self, key: str, data: bytes) -> bool:
        """Writes a file that must not be there yet; False where it is.

        Where the backend can (S3 and others with conditional writes) this is decided there. What
        was written is read again: a retry may meet what its own first try has written.
        """
        with self._doing("writing"), suppress(FileExistsError):
            self._fs.pipe_file(self._path(key), data, mode="create")
        return self.read(key) == data

    def replace(self, key: str, data: bytes) -> None:
        """Writes a file, whatever is there."""
        with self._doing("writing"):
            self._fs.pipe_file(self._path(key), data)

    def size(self, key: str) -> int | None:
        """In bytes, None where there is no such file."""
        with self._doing("reading"):
            try:
                return int(self._fs.info(self._path(key))["size"])
            except FileNotFoundError:
                return None

    def upload(self, path: Path, key: str, told: Told | None = None) -> None:
        """Copies a file of this machine into the store; it appears whole or not at all."""
        with self._doing("uploading"):
            self._fs.put_file(str(path), self._path(key), callback=_Telling(told))

    def download(self, key: str, path: Path, told: Told | None = None) -> bool:
        """Copies a file of the store to this machine; False where there is none."""
        with self._doing("downloading"):
            try:
                self._fs.get_file(self._path(key), str(path), callback=_Telling(told))
            except FileNotFoundError:
                return False
        return True

    def move(self, key: str, to: str) -> None:
        """Gives a file another key, if it is there."""
        with self._doing("moving"), suppress(FileNotFoundError):
            self._fs.mv(self._path(key), self._path(to))

    def remove(self, key: str) -> None:
        """Takes a file away, if it is there."""
        with self._doing("deleting"), suppress(FileNotFoundError):
            self._fs.rm_file(self._path(key))

    def local(self, key: str) -> Path | None:  # noqa: ARG002 - a folder's answer depends on it
        """Where the file lies on this machine's disk; None for a store elsewhere."""
        return None

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"

    def _need_container(self) -> None:
        """An empty store and a bucket that does not exist look alike."""
        container = self._root.split("/")[0]
        if container and not self._fs.exists(container):
            raise FileNotFoundError(f"'{container}' does not exist")

    @contextmanager
    def _doing(self, what: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # each backend has types of its own
            told = str(error).replace(self._url, self.shown).strip()
            reason = told.splitlines()[0][:300] if told else ""
            message = f"model store {self.shown}: {what} failed: {reason or type(error).__name__}"
            final = isinstance(error, (PermissionError, FileNotFoundError))
            raise StoreError(message, retriable=not final) from error


class _Telling(Callback):  # type: ignore[misc]  # fsspec ships no types
    """fsspec's progress as a plain call."""

    def __init__(self, told: Told | None) -> None:
        super().__init__()
        self._told = told

    def call(self, *_: Any, **__: Any) -> None:
        if self._told is not None:
            self._told(self.value, self.size or 0)
