"""Dead letters as a worker writes them, made without one."""

from __future__ import annotations

from tests.kafka.client import Header, Record

AT_MS = 1_767_225_600_000
OWN: list[Header] = [("traceparent", b"00-1-2-01"), ("h", None), ("h", b"\xff")]
"""Headers of the event itself."""


def letter(i: int, source: str, partition: int = 0, **said: str) -> Record:
    """Letter number i, which came from offset i; ``said``: headers that differ."""
    headers = {
        "topic": source,
        "partition": str(partition),
        "offset": str(i),
        "timestamp": str(AT_MS + i),
        "group": "rtml-fraud",
        "service": "fraud",
        "graph": "0123456789ab",
        "node": "small",
        "stage": "validate",
        "error": "RangeError",
        "message": f"f0 is {i}, above 100",
        "attempt": "1",
        "first-at": "2026-01-01T00:00:00.000Z",
        "at": f"2026-01-01T00:{i // 60 % 60:02}:{i % 60:02}.000Z",
        **said,
    }
    ours = [(f"rtml-dlq-{name.replace('_', '-')}", v.encode()) for name, v in headers.items()]
    value = b'{"f0": %d, "f1": 1}' % i
    return Record(value, b"key-%d" % i, [*OWN, *ours], AT_MS + i, partition)
