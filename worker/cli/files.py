"""The files that commands write."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from worker.cli.console import not_writable
from worker.errors import ConfigError, Problem


def refuse_same_file(*paths: Path | None) -> None:
    """What is read or written must not be overwritten by another flag's file.

    Raises:
        ConfigError: a file that is named twice.
    """
    seen: set[Path] = set()
    for path in paths:
        if path is None or (path.exists() and not path.is_file()):
            continue  # stdin, or a device such as /dev/null
        if path.resolve() in seen:
            raise ConfigError(Problem("", "is named twice; give each its own file", str(path)))
        seen.add(path.resolve())


def created(path: Path, *, append: bool = False) -> BinaryIO:
    """A file to write to.

    Raises:
        ConfigError: it cannot be written.
    """
    try:
        return path.open("ab" if append else "wb")
    except OSError as error:
        raise ConfigError(not_writable(path, error)) from error
