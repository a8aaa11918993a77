"""Instants in text and as epoch numbers."""

from __future__ import annotations

from datetime import UTC, datetime


def instant(text: str) -> datetime | None:
    """An instant of RFC 3339 in UTC, to the microsecond; None for what no datetime holds.

    A leap second is the one before it. Without an offset it is UTC.
    """
    try:
        plain = text.upper().replace("Z", "+00:00")
        if plain[17:19] == "60":
            plain = f"{plain[:17]}59{plain[19:]}"
        found = datetime.fromisoformat(plain)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def epoch_ms(value: object) -> int | None:
    """Milliseconds since 1970 of an instant in text, or of a number that is that already."""
    if isinstance(value, str):
        found = instant(value)
        return None if found is None else round(found.timestamp() * 1_000)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if 0 <= value < 2**63 else None
