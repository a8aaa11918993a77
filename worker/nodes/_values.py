"""Values in text: read strictly, and shown in messages."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np

_INT64 = np.iinfo(np.int64)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_WITHOUT_OFFSET = datetime(1970, 1, 1)
_MILLISECOND = timedelta(milliseconds=1)
_BEFORE_TIME = frozenset({"", "T", "t", " "})
_SHOWN_LENGTH = 80


def shown(value: object) -> str:
    """The value as a message carries it: quoted if text, at most 80 characters."""
    text = repr(value[:_SHOWN_LENGTH] if isinstance(value, str) else value)
    return text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 3] + "..."


def parse_int(text: str) -> int:
    """A whole number in text; blanks around it are allowed.

    Raises:
        ValueError: no whole number, or outside int64.
    """
    try:
        value = int(_plain(text))
    except ValueError:
        raise ValueError(f"{shown(text)} is no whole number") from None
    if not _INT64.min <= value <= _INT64.max:
        raise ValueError(f"{shown(text)} is outside int64")
    return value


def parse_float(text: str) -> float:
    """A finite decimal number in text; blanks around it are allowed.

    Raises:
        ValueError: no number, or one that is not finite, such as ``nan`` or ``1e999``.
    """
    try:
        value = float(_plain(text))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{shown(text)} is no finite number")
    return value


def is_number(text: str) -> bool:
    """Whether the text is a number, were it even ``nan``, ``inf`` or ``1e999``."""
    try:
        float(_plain(text))
    except ValueError:
        return False
    return True


def _plain(text: str) -> str:
    """The text, if it has nothing that int() and float() take beyond numbers in data."""
    if "_" in text or not text.isascii():  # 1_000, and digits of other scripts
        raise ValueError
    return text


def parse_bool(text: str) -> bool:
    """The truth value in text: ``true`` or ``false`` in any case; blanks around it are allowed.

    Raises:
        ValueError: any other text.
    """
    folded = text.strip().lower()
    if folded not in ("true", "false"):
        raise ValueError(f"{shown(text)} is neither true nor false")
    return folded == "true"


def parse_instants(texts: list[str]) -> list[int]:
    """Milliseconds since 1970 UTC of ISO 8601 dates or date-times; finer digits are cut off.

    Any form of it that Python reads, with ``T`` or a blank before the time:
    ``2024-03-01T10:15:00.123+02:00``, ``20240301``, ``2024-W10-1``.
    An offset is honoured; without one it is UTC.

    Raises:
        ValueError: another form, or a date that does not exist, in any of the texts.
    """
    # fromisoformat takes any character before the time, even the + of an offset.
    if not {text[10:11] for text in texts} <= _BEFORE_TIME:
        raise ValueError("no ISO 8601 date-time")
    return [
        (moment - (_EPOCH_WITHOUT_OFFSET if moment.tzinfo is None else _EPOCH)) // _MILLISECOND
        for moment in map(datetime.fromisoformat, texts)
    ]


def parse_instant(text: str) -> int:
    """One text, like `parse_instants`.

    Raises:
        ValueError: another form, or a date that does not exist; the message carries the text.
    """
    try:
        return parse_instants([text])[0]
    except ValueError:
        fault = "is no ISO 8601 date-time; write 2024-03-01T10:15:00Z"
        raise ValueError(f"{shown(text)} {fault}") from None
