"""Times of events whose digits msgspec rounds up, where every other route cuts them off."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence

import msgspec

from worker.schema import value_at

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
MILLISECOND = datetime.timedelta(milliseconds=1)
# Only these digits of a second, from the fourth on, carry over into its third when rounded.
CARRIES = re.compile(rb"999[5-9]")
_BEYOND_MICROSECONDS = re.compile(r"(\.\d{6})\d+")


def cut_off(
    values: Sequence[bytes | None], rows: Sequence[int], paths: Sequence[tuple[str, ...]]
) -> Iterator[tuple[int, int, int]]:
    """Times that were rounded up to the next millisecond, which may be another year.

    Args:
        values: events that were read.
        rows: which of them are wanted.
        paths: of their date-times.

    Yields:
        Position in ``rows``, position in ``paths``, and the milliseconds since 1970 UTC.
    """
    for i, row in enumerate(rows):
        value = values[row]
        if value is None or CARRIES.search(value) is None:
            continue
        event = msgspec.json.decode(value)
        for j, path in enumerate(paths):
            text = value_at(event, path)
            if isinstance(text, str) and _BEYOND_MICROSECONDS.search(text):
                cut = _BEYOND_MICROSECONDS.sub(r"\1", text)
                moment = msgspec.convert(cut, datetime.datetime)
                yield i, j, (moment - EPOCH) // MILLISECOND
