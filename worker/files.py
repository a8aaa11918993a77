"""Files: read without waiting for ever, written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO


def open_file(path: Path) -> BufferedReader:
    """A file that is read as a whole; a pipe would wait for a writer, a device may never end.

    Raises:
        OSError: it cannot be opened, or is no regular file.
    """
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise _irregular(path)
    return path.open("rb")


def open_stream(path: Path) -> BinaryIO:
    """A file that is read while it comes: pipes and terminals will do, ``<(command)`` is one.

    Raises:
        OSError: it cannot be opened, or is a device that is neither a terminal nor the null device.
    """
    file = path.open("rb")
    found = os.fstat(file.fileno())
    null = stat.S_ISCHR(found.st_mode) and found.st_rdev == os.stat(os.devnull).st_rdev
    is_device = stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode)
    if is_device and not (null or file.isatty()):
        file.close()
        raise _irregular(path)
    return file


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file that appears at once: who reads meanwhile has the one of before, or none.

    Raises:
        OSError: it cannot be written; nothing is left behind.
    """
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        try:
            file.write(content)
            file.close()
            os.replace(file.name, path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def _irregular(path: Path) -> OSError:
    return OSError(errno.EINVAL, "is no regular file", str(path))
