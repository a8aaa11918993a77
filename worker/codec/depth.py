"""How deep objects and arrays are nested in a value, whatever its parser could bear.

The parser ends where the stack does: at another depth in each version of Python, and in a thread.
"""

from __future__ import annotations

import re

import numpy as np

_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_STEPS = np.zeros(256, dtype=np.int8)
_STEPS[[ord("{"), ord("[")]] = 1
_STEPS[[ord("}"), ord("]")]] = -1


def is_deeper(value: bytes, most: int) -> bool:
    """Whether more than ``most`` objects and arrays stand inside each other; of JSON."""
    if value.count(b"{") + value.count(b"[") <= most:
        return False
    data = np.frombuffer(_ESCAPED.sub(b"__", value), dtype=np.uint8)
    in_text = np.logical_xor.accumulate(data == ord('"'))
    steps = np.where(in_text, np.int8(0), _STEPS[data])
    return bool(np.cumsum(steps, dtype=np.int32).max(initial=0) > most)
