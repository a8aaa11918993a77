"""What the stream uses of a consumed record; aiokafka's own class has no types."""

from __future__ import annotations

from typing import Protocol


class Record(Protocol):
    """One record as it was read. ``value`` is None for a tombstone; timestamps are epoch ms."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
