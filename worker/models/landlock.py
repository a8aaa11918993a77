"""Takes this process's right to files and the network, but for what it is given; Linux 5.13 on.

Landlock needs no privileges and cannot be undone: https://docs.kernel.org/userspace-api/landlock.html
Elsewhere, and where the kernel has it switched off, nothing happens: the other limits remain.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

_CREATE, _ADD, _RESTRICT = 444, 445, 446
"""System calls, the same on every architecture."""
_VERSION_FLAG = 1
_PATH_BENEATH = 1
_NO_NEW_PRIVILEGES = 38
_WRITE, _READ, _LIST, _TRUNCATE = 1 << 1, 1 << 2, 1 << 3, 1 << 14
_RIGHTS = (13, 14, 15, 15, 16)
"""How many rights to files each version knows; the last also for every later one."""
_NETWORK = 0b11
"""To bind and to connect TCP, since version 4."""


def confine(reads: Iterable[Path], writes: Iterable[Path]) -> bool:
    """From now on this thread and those it starts may open nothing else.

    Args:
        reads: files, or folders with all that is in them.
        writes: files that exist.

    Returns:
        Whether the kernel can do that.

    Raises:
        OSError: it can, and did not.
    """
    if sys.platform != "linux":
        return False
    call = ctypes.CDLL(None, use_errno=True).syscall
    version = call(_CREATE, None, ctypes.c_size_t(0), _VERSION_FLAG)
    if version < 1:
        return False
    every = (1 << _RIGHTS[min(version, len(_RIGHTS)) - 1]) - 1
    asked = struct.pack("QQ", every, _NETWORK if version >= 4 else 0)
    size = ctypes.c_size_t(16 if version >= 4 else 8)
    rules = _done(call(_CREATE, asked, size, 0))
    for paths, rights in ((reads, _READ | _LIST), (writes, _WRITE | _TRUNCATE)):
        for path in paths:
            file = os.open(path, os.O_PATH | os.O_CLOEXEC)
            given = rights & every if path.is_dir() else rights & every & ~_LIST
            _done(call(_ADD, rules, _PATH_BENEATH, struct.pack("=Qi", given, file), 0))
            os.close(file)
    _done(ctypes.CDLL(None, use_errno=True).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    _done(call(_RESTRICT, rules, 0))
    os.close(rules)
    return True


def _done(result: int) -> int:
    """The result of a call.

    Raises:
        OSError: it failed.
    """
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
