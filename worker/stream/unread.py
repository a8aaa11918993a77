"""What stands for the value of a record that is over a limit."""

from __future__ import annotations

from collections.abc import Sequence

from worker.bounds import Bounds
from worker.codec.outcome import Outcomes
from worker.errors import Fault, Stage
from worker.stream.record import Record

Headers = Sequence[tuple[str, bytes]]


class Unread(bytes):
    """Empty bytes, which are no event: nothing scores them, and the record is a dead letter.

    Attributes:
        error: stable name of the reason.
        message: what is too large, and the setting.
        original: the value as it was read; None where it was not.
    """

    error: str
    message: str
    original: bytes | None

    def __new__(cls, error: str, message: str, original: bytes | None) -> Unread:
        """An empty value with its reason."""
        made = super().__new__(cls)
        made.error, made.message, made.original = error, message, original
        return made


def excess(key: bytes | None, value: bytes | None, headers: Headers, most: Bounds) -> str:
    """Which limit a record is over, that is over one of them."""
    if key is not None and len(key) > most.max_key_bytes:
        return f"its key has {len(key)} bytes; RTML_MAX_KEY_BYTES is {most.max_key_bytes}"
    if value is not None and len(value) > most.max_value_bytes:
        return f"its value has {len(value)} bytes; RTML_MAX_VALUE_BYTES is {most.max_value_bytes}"
    if len(headers) > most.max_headers:
        return f"it has {len(headers)} headers; RTML_MAX_HEADERS is {most.max_headers}"
    size = sum([len(name) + len(content or b"") for name, content in headers])
    return f"its headers have {size} bytes; RTML_MAX_HEADERS_BYTES is {most.max_headers_bytes}"


def tell(records: list[Record], outcomes: Outcomes) -> None:
    """Gives the faults of unread records their own reasons, in place; all of them have one."""
    for i, fault in enumerate(outcomes.faults):
        value = records[fault.row].value
        if isinstance(value, Unread):
            outcomes.faults[i] = Fault(fault.row, Stage.DECODE, value.error, value.message)


def content(record: Record) -> bytes | None:
    """The value of a record as it was read."""
    value = record.value
    return value.original if isinstance(value, Unread) else value
