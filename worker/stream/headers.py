"""Looks for records with too many headers before aiokafka makes objects of them.

A header takes two bytes in a batch and some hundred in memory: 32 MiB of them, 1 KB of zstd, would
be gigabytes. A record of a small batch cannot hold enough of them to matter.

Format: https://kafka.apache.org/documentation/#record
"""

from __future__ import annotations

LARGE_BYTES = 1_048_576
"""Records up to this size are not looked into."""


def has_long_list(data: bytes, most: int) -> bool:
    """Whether a large record has more than ``most`` headers.

    Args:
        data: the records of a batch; what is malformed is left to the reader.
        most: how many are allowed.
    """
    at, end = 0, len(data)
    try:
        while at < end:
            first = data[at]
            if first < 0x80:  # most records are short: a tenth of a microsecond each
                at += 1 + (first >> 1)
                continue
            length, start = _varint(data, at)
            if length < 0:
                return False
            if length > LARGE_BYTES and _headers(data, start) > most:
                return True
            at = start + length
    except IndexError:
        return False
    return False


def _headers(data: bytes, at: int) -> int:
    """How many headers the record has that begins there, behind its length."""
    at += 1  # attributes
    for _ in ("timestamp", "offset"):
        _, at = _varint(data, at)
    for _ in ("key", "value"):
        length, at = _varint(data, at)
        at += max(length, 0)
    return _varint(data, at)[0]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number, and where it ends.

    Raises:
        IndexError: the data end before it does.
    """
    raw, shift = 0, 0
    while True:
        byte = data[at]
        at += 1
        raw |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (raw >> 1) ^ -(raw & 1), at
        shift += 7
