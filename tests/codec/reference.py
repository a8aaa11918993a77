"""What `strategies.SCHEMA` demands, as a plain walk over the standard library's JSON."""

from __future__ import annotations

import datetime
import json
import math
import re
from typing import Any

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:?\d\d)")


class UnfitError(Exception):
    """The value does not fit the schema, or is no JSON."""


def strict_json(value: bytes) -> dict[str, Any]:
    """The event, if the bytes are one JSON object by the letter of RFC 8259 and in UTF-8.

    The standard library takes NaN and lone surrogates and refuses long whole numbers.
    """

    def refuse(word: str) -> None:
        raise UnfitError(word)

    try:
        text = value.decode()
        found = json.loads(text, parse_constant=refuse, parse_int=_whole)
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise UnfitError(str(error)) from error
    if not isinstance(found, dict):
        raise UnfitError("no object")
    return found


def _whole(digits: str) -> float:
    return int(digits) if len(digits) < 1000 else math.inf


def has_duplicates(value: bytes) -> bool:
    """Whether any object in the bytes has a key twice."""
    found = False

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal found
        found = found or len(dict(items)) < len(items)
        return dict(items)

    json.loads(value, object_pairs_hook=pairs, parse_int=_whole)
    return found


def columns(event: dict[str, Any]) -> dict[str, Any]:
    """Column -> value, None where missing; raises `UnfitError`."""
    if "required" not in event:
        raise UnfitError("required")
    deep = _object(event, "deep")
    closed = _object(deep, "closed")
    if closed is not None and ("closed" in (deep or {})) and set(closed) != {"é.x"}:
        raise UnfitError("closed")
    return {
        "required": _integer(event.get("required")),
        "number": _number(event.get("number"), above=-1e300),
        "second": _number(event.get("second")),
        "third": _number(event.get("third", -0.25)),
        "count": _integer(event.get("count", 7), -5, 2**62),
        "text": _text(event.get("text", "dé"), 1, 4),
        "word": _one_of(event.get("word"), ["a", "b", ""]),
        "code": _one_of(event.get("code"), [1, 2, -3]),
        "flag": _boolean(event.get("flag", True)),
        "fourth": _number(event.get("fourth")),
        "fifth": _number(event.get("fifth")),
        "when": _moment(event.get("when")),
        "vector": _vector(event.get("vector"), _number),
        "whole": _vector(event.get("whole"), _integer),
        "deep.ratio": None if deep is None else _number(deep.get("ratio", 1.5)),
        "/deep/closed/é.x": None if not closed else _given(_text(closed["é.x"], 0, 10**9)),
    }


def _object(parent: dict[str, Any] | None, name: str) -> dict[str, Any] | None:
    """The object below ``name``: empty where absent, None where it or its parent is null."""
    if parent is None:
        return None
    found = parent.get(name, {})
    if found is not None and not isinstance(found, dict):
        raise UnfitError(name)
    return found


def _given(value: Any) -> Any:
    if value is None:
        raise UnfitError("null")
    return value


def _integer(value: Any, low: int = -(2**63), high: int = 2**63 - 1) -> int | None:
    if value is None:
        return None
    if type(value) is not int or not low <= value <= high:
        raise UnfitError("integer")
    return value


def _number(value: Any, above: float = -math.inf) -> float | None:
    if value is None:
        return None
    if type(value) not in (int, float):
        raise UnfitError("number")
    try:
        number = float(value)
    except OverflowError as error:
        raise UnfitError("number") from error
    if not math.isfinite(number) or number <= above:
        raise UnfitError("number")
    return number


def _text(value: Any, low: int, high: int) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not low <= len(value) <= high:
        raise UnfitError("text")
    return value


def _one_of(value: Any, allowed: list[Any]) -> Any:
    if value is not None and (value not in allowed or type(value) is not type(allowed[0])):
        raise UnfitError("enum")
    return value


def _boolean(value: Any) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise UnfitError("boolean")
    return value


def _moment(value: Any) -> int | None:
    """Milliseconds since 1970, finer digits cut off."""
    if value is None:
        return None
    if not isinstance(value, str) or _MOMENT.fullmatch(value) is None:
        raise UnfitError("date-time")
    try:
        moment = datetime.datetime.fromisoformat(value.upper())
    except ValueError as error:
        raise UnfitError("date-time") from error
    found = (moment - _EPOCH) // datetime.timedelta(milliseconds=1)
    if not -62_135_596_800_000 <= found <= 253_402_300_799_999:
        raise UnfitError("years 1 to 9999")
    return found


def _vector(value: Any, component: Any) -> list[float] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 2:
        raise UnfitError("vector")
    return [float(_given(component(item))) for item in value]
