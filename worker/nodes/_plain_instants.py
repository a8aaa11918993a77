"""The usual form of ISO 8601 date-times, read a column at a time."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from worker.batch import Rows

_FORM = re.compile(
    rb"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?P<ms>\.\d{3}(\d{3})?)?(?P<zone>Z|[+-]\d\d:\d\d)?"
)
_SECOND_MS, _MINUTE_MS, _HOUR_MS, _DAY_MS = 1_000, 60_000, 3_600_000, 86_400_000


def plain_instants(texts: Sequence[str]) -> Rows | None:
    """``(n,)`` milliseconds since 1970 UTC; finer digits are cut off, no offset means UTC.

    None where not all texts are valid date-times of one form, such as
    ``2024-03-01T10:15:00.123+02:00``: those are to be read one by one.
    """
    joined = "".join(texts)
    form = _FORM.fullmatch(texts[0].encode()) if texts and joined.isascii() else None
    if form is None or set(map(len, texts)) != {form.end()}:
        return None
    rows = np.frombuffer(joined.encode(), dtype=np.uint8).reshape(len(texts), -1)
    codes = np.ascontiguousarray(rows.T)
    sign = form.start("zone") if form.end() - form.start("zone") == len("+00:00") else None
    digits = [i for i, code in enumerate(form[0]) if chr(code).isdigit()]
    marks = [i for i in range(len(form[0])) if i not in digits and i != sign]
    values = codes - ord("0")
    if (values[digits] > 9).any() or (codes[marks] != codes[marks, :1]).any():
        return None

    def number(start: int, length: int = 2) -> Rows:
        found: Rows = values[start].astype(np.int64)
        for row in values[start + 1 : start + length]:
            found = 10 * found + row
        return found

    year, month, day = number(0, 4), number(5), number(8)
    hour, minute, second = number(11), number(14), number(17)
    months = (12 * (year - 1970) + month - 1).astype("datetime64[M]")
    first = months.astype("datetime64[D]").astype(np.int64)
    after = (months + 1).astype("datetime64[D]").astype(np.int64)
    valid = (year > 0) & (month > 0) & (month < 13) & (day > 0) & (first + day <= after)
    valid &= (hour < 24) & (minute < 60) & (second < 60)
    ticks = (first + day - 1) * _DAY_MS + hour * _HOUR_MS + minute * _MINUTE_MS
    ticks += second * _SECOND_MS
    if form["ms"] is not None:
        ticks += number(form.start("ms") + 1, 3)
    if sign is not None:
        is_behind, is_ahead = codes[sign] == ord("-"), codes[sign] == ord("+")
        hours, minutes = number(sign + 1), number(sign + 4)
        valid &= (is_behind | is_ahead) & (hours < 24) & (minutes < 60)
        ticks += np.where(is_behind, 1, -1) * (hours * _HOUR_MS + minutes * _MINUTE_MS)
    return ticks if valid.all() else None
