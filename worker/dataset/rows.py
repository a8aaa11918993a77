"""What every reader of a file of events yields."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from worker.errors import Fault

MAX_ROW_BYTES = 16_000_000
"""A longer line, or cell, is never held in memory."""


@dataclass(frozen=True, slots=True)
class Row:
    """One event of a file.

    Attributes:
        number: of its line (JSON lines) or of its row below the header, counted from 1.
        value: the event as a topic would hold it.
        fault: why it cannot even be read; ``value`` is then what stands in the file.
    """

    number: int
    value: bytes
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Events:
    """An open file of events.

    Attributes:
        rows: one at a time; the file is not held in memory.
        fraction: how much of the file was read, from 0 to 1; None for a stream.
        notes: what the reader should know about the columns.
    """

    rows: Iterator[Row]
    fraction: Callable[[], float | None]
    notes: tuple[str, ...] = ()
