"""Made-up events that keep a schema: the same seed, the same events."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from worker.batch import DType
from worker.schema import Branch, Leaf, Schema

_START = datetime(2026, 1, 1, tzinfo=UTC)
_YEAR_S = 365 * 86_400
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_MISSING = 0.05
"""How often a field that is not required is left out."""
_SPAN = 100.0
_LENGTH = 8


def simulate(schema: Schema, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Events without end: each keeps every bound of the schema.

    Values are drawn evenly between the bounds, by default 0 and 100; text is one of its ``enum``,
    else letters; instants lie in one year. Of the fields that are not required one in twenty is
    left out.

    Args:
        schema: the declared fields.
        seed: of the draw.
    """
    random = Random(seed)
    while True:
        yield _object(schema.root, random)


def _object(branch: Branch, random: Random) -> dict[str, Any]:
    event: dict[str, Any] = {}
    for name, member in branch.members.items():
        if not member.required and random.random() < _MISSING:
            continue
        if isinstance(member, Branch):
            event[name] = _object(member, random)
        else:
            event[name] = _value(member, random)
    return event


def _value(leaf: Leaf, random: Random) -> Any:
    dtype, limits = leaf.type.dtype, leaf.limits
    if leaf.type.length is not None and limits.get("items") == "integer":
        return [random.randrange(256) for _ in range(leaf.type.length)]
    if leaf.type.length is not None:
        return [round(random.gauss(), 6) for _ in range(leaf.type.length)]
    if "enum" in limits:
        return random.choice(limits["enum"])
    if dtype is DType.BOOL:
        return random.random() < 0.5
    if dtype is DType.DATETIME:
        time = _START + timedelta(seconds=random.randrange(_YEAR_S))
        return time.isoformat().replace("+00:00", "Z")
    if dtype is DType.TEXT:
        return _text(limits, random)
    return _number(limits, random, whole=dtype is DType.INT64)


def _text(limits: Any, random: Random) -> str:
    least = limits.get("minLength", min(_LENGTH, limits.get("maxLength", _LENGTH)))
    most = limits.get("maxLength", max(least, _LENGTH))
    return "".join(random.choices(_LETTERS, k=random.randint(least, min(most, least + _LENGTH))))


def _number(limits: Any, random: Random, *, whole: bool) -> float:
    low = limits.get("minimum", limits.get("exclusiveMinimum"))
    high = limits.get("maximum", limits.get("exclusiveMaximum"))
    if low is None:
        low = 0 if high is None or high > 0 else high - _SPAN
    if high is None:
        high = low + _SPAN
    if whole:
        first = math.floor(low) + 1 if "exclusiveMinimum" in limits else math.ceil(low)
        last = math.ceil(high) - 1 if "exclusiveMaximum" in limits else math.floor(high)
        return random.randint(first, max(first, last))
    # The middle keeps exclusive bounds even where rounding would reach them.
    drawn = low + (high - low) * random.random()
    inside = low < drawn < high or (drawn == low and "exclusiveMinimum" not in limits)
    return float(drawn if inside else (low + high) / 2)
