"""The files that commands write."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from worker.cli.console import not_writable
from worker.errors import ConfigError, Problem

_READ = "is read by this command; name another file to write to"
_TWICE = "is named twice; give each its own file"


def refuse_overwriting(written: Iterable[Path | None], read: Iterable[Path | None]) -> None:
    """What a command reads must not be what it writes, whatever the names: links are followed.

    Args:
        written: the files that flags name; None is stdout, or not wanted.
        read: the files that the command reads; None is stdin, or none.

    Raises:
        ConfigError: every file that would be lost.
    """
    kept = {_identity(path) for path in read if path is not None}
    problems = []
    seen: set[object] = set()
    for path in written:
        if path is None or (path.exists() and not path.is_file()):
            continue  # a device such as /dev/null
        identity = _identity(path)
        if identity in kept or identity in seen:
            message = _READ if identity in kept else _TWICE
            problems.append(Problem("", message, str(path)))
        seen.add(identity)
    if problems:
        raise ConfigError(problems)


def _identity(path: Path) -> object:
    """Equal for two names of one file, also for hard links."""
    try:
        found = path.stat()
    except OSError:
        return path.resolve()
    return found.st_dev, found.st_ino


def created(path: Path, *, append: bool = False) -> BinaryIO:
    """A file to write to.

    Raises:
        ConfigError: it cannot be written; so do its methods later, such as on a full disk.
    """
    try:
        return io.BufferedWriter(_File(path, "ab" if append else "wb"))
    except OSError as error:
        raise ConfigError(not_writable(path, error)) from error


class _File(io.FileIO):
    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            raise ConfigError(not_writable(Path(str(self.name)), error)) from error
