"""What a JSON Schema demands of one value: its bounds, its enum, its default."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from worker.batch import DType
from worker.bounds import bounds
from worker.errors import Problem

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

_PAIRS = (
    ("minimum", "maximum"),
    ("minimum", "exclusiveMaximum"),
    ("exclusiveMinimum", "maximum"),
    ("exclusiveMinimum", "exclusiveMaximum"),
    ("minLength", "maxLength"),
)
_TWICE = (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum"))
_ENDS = {"exclusiveMinimum": INT64_MAX, "exclusiveMaximum": INT64_MIN}
_HOLDS: dict[str, Callable[[Any, Any], bool]] = {
    "enum": lambda value, bound: value in bound,
    "minimum": operator.ge,
    "maximum": operator.le,
    "exclusiveMinimum": operator.gt,
    "exclusiveMaximum": operator.lt,
    "minLength": lambda value, bound: len(value) >= bound,
    "maxLength": lambda value, bound: len(value) <= bound,
}


def limits_of(
    source: Mapping[str, Any], kind: str, dtype: DType
) -> tuple[dict[str, Any], Any, list[Problem]]:
    """The bounds of a scalar, its default, and what is wrong with them.

    Args:
        source: the value's schema.
        kind: its JSON type.
        dtype: of its column; a date-time takes neither bounds nor a default.

    Returns:
        Keyword -> bound, the default or None, and problems with paths inside ``source``; where
        there are problems the others are of no use.
    """
    limits = {key: source[key] for key in _HOLDS if key in source}
    default = source.get("default")
    if dtype is DType.DATETIME:
        given = [*limits, *(["default"] if default is not None else [])]
        return {}, None, [Problem(key, "is not supported for date-time") for key in given]
    problems = [*_malformed(limits, kind)] or [*_contradictions(limits, kind)]
    if default is not None and not problems:
        if not is_a(default, kind):
            problems.append(Problem("default", f"{_shown(default)} is no {kind}"))
        elif not _within(default, limits):
            problems.append(
                Problem("default", f"{_shown(default)} is outside the schema's own bounds")
            )
    return limits, default, problems


def is_a(value: object, kind: str) -> bool:
    """Whether a JSON value is of a JSON type and fits its column."""
    if isinstance(value, bool) or kind == "boolean":
        return isinstance(value, bool) and kind == "boolean"
    if kind == "integer":
        return isinstance(value, int) and INT64_MIN <= value <= INT64_MAX
    if kind == "number":
        return isinstance(value, (int, float)) and _is_finite(value)
    return isinstance(value, str) and not any("\ud800" <= c <= "\udfff" for c in value)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(float(value))
    except OverflowError:  # an int may have any size
        return False


def _malformed(limits: Mapping[str, Any], kind: str) -> list[Problem]:
    problems = []
    for key, value in limits.items():
        if key == "enum":
            fit = isinstance(value, list) and bool(value) and kind in ("string", "integer")
            if not fit or not all(is_a(item, kind) for item in value):
                message = f"must list text or int64 numbers; the type here is {kind}"
                problems.append(Problem(key, message))
        elif key in ("minLength", "maxLength"):
            if not (is_a(value, "integer") and value >= 0):
                problems.append(Problem(key, f"must be a whole number from 0, not {_shown(value)}"))
            elif key == "minLength" and value > bounds().max_text_length:
                most = f"{bounds().max_text_length} (RTML_MAX_TEXT_LENGTH)"
                problems.append(Problem(key, f"{value} is longer than any text may be, {most}"))
        elif not is_a(value, kind):
            problems.append(Problem(key, f"must be of type {kind}, not {_shown(value)}"))
    return problems


def _contradictions(limits: Mapping[str, Any], kind: str) -> list[Problem]:
    if "enum" in limits and len(limits) > 1:
        others = ", ".join(key for key in limits if key != "enum")
        return [Problem("enum", f"list only what may occur, without {others}")]
    twice = [
        Problem(exclusive, f"give {key} or {exclusive}, not both")
        for key, exclusive in _TWICE
        if key in limits and exclusive in limits
    ]
    crossed = [
        Problem(low, f"nothing is between {low} {limits[low]} and {high} {limits[high]}")
        for low, high in _PAIRS
        if low in limits and high in limits and _leaves_nothing(limits, low, high, kind)
    ]
    if kind == "integer":
        crossed += [
            Problem(key, f"nothing that int64 holds is beyond {end}")
            for key, end in _ENDS.items()
            if limits.get(key) == end
        ]
    return twice or crossed


def _leaves_nothing(limits: Mapping[str, Any], low: str, high: str, kind: str) -> bool:
    """Whether no value is within both bounds: above 5 and at most 5; whole, above 5 and below 6."""
    least, most = limits[low], limits[high]
    excluded = (low == "exclusiveMinimum") + (high == "exclusiveMaximum")
    if kind == "integer":
        return bool(most - least < excluded)
    return bool(least > most or (excluded and least == most))


def _within(value: Any, limits: Mapping[str, Any]) -> bool:
    """Whether a default keeps the bounds of its own schema."""
    return all(_HOLDS[key](value, bound) for key, bound in limits.items())


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
