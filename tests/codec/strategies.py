"""JSON as hypothesis draws it: values, events of one schema, their bytes, and broken bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**30])
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["required"],
    "properties": {
        "required": {"type": ["integer", "null"]},
        "number": {"type": "number", "exclusiveMinimum": -1e300},
        "second": {"type": ["number", "null"]},
        "third": {"type": "number", "default": -0.25},
        "count": {"type": "integer", "minimum": -5, "maximum": 2**62, "default": 7},
        "text": {"type": "string", "minLength": 1, "maxLength": 4, "default": "dé"},
        "word": {"type": "string", "enum": ["a", "b", ""]},
        "code": {"type": "integer", "enum": [1, 2, -3]},
        "flag": {"type": "boolean", "default": True},
        "fourth": {"type": "number"},
        "fifth": {"type": "number"},
        "when": {"type": "string", "format": "date-time"},
        "vector": {
            "type": "array",
            "items": {"type": "number"},
            "minItems": 2,
            "maxItems": 2,
        },
        "whole": {
            "type": ["array", "null"],
            "items": {"type": "integer"},
            "minItems": 2,
            "maxItems": 2,
        },
        "deep": {
            "type": "object",
            "properties": {
                "ratio": {"type": "number", "default": 1.5},
                "closed": {
                    "type": "object",
                    "required": ["é.x"],
                    "additionalProperties": False,
                    "properties": {"é.x": {"type": "string"}},
                },
            },
        },
    },
}

MOMENTS = st.datetimes().map(lambda moment: moment.isoformat() + "Z") | st.builds(
    lambda moment, sign, hours, minutes: f"{moment.isoformat()}{sign}{hours:02}:{minutes:02}",
    st.datetimes(),
    st.sampled_from("+-"),
    st.integers(0, 23),
    st.integers(0, 59),
)


def usually(valid: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly a valid value, now and then any other."""
    return st.one_of(valid, valid, valid, st.none(), VALUES)


NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
EVENTS = st.fixed_dictionaries(
    {"required": usually(st.integers(-(2**63), 2**63 - 1))},
    optional={
        "number": usually(NUMBERS),
        **{name: usually(NUMBERS) for name in ("second", "third", "fourth", "fifth")},
        "count": usually(st.integers(-5, 2**62)),
        "text": usually(TEXT.filter(lambda text: 1 <= len(text) <= 4)),
        "word": usually(st.sampled_from(["a", "b", ""])),
        "code": usually(st.sampled_from([1, 2, -3])),
        "flag": usually(st.booleans()),
        "when": usually(MOMENTS),
        "vector": usually(st.lists(NUMBERS, min_size=2, max_size=2)),
        "whole": usually(st.lists(st.integers(), min_size=2, max_size=2)),
        "deep": usually(
            st.fixed_dictionaries(
                {},
                optional={
                    "ratio": usually(NUMBERS),
                    "closed": usually(st.fixed_dictionaries({"é.x": usually(TEXT)})),
                    "other": VALUES,
                },
            )
        ),
        "score": VALUES,
        "other": VALUES,
        "é": VALUES,
    },
)

_SEPARATORS = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t:\r\n ")])
_AROUND = st.sampled_from(["", "", " ", "\n", "\r\n\t "])


@st.composite
def rendered(draw: Callable[[Any], Any], events: st.SearchStrategy[Any] = EVENTS) -> bytes:
    """An event's bytes, as one of the ways in which JSON can write it."""
    text: str = json.dumps(
        draw(events),
        ensure_ascii=draw(st.booleans()),
        separators=draw(_SEPARATORS),
        allow_nan=False,
    )
    return f"{draw(_AROUND)}{text}{draw(_AROUND)}".encode()


_TOKENS = st.sampled_from(
    [
        *(b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e400", b"01", b"1.", b"+1", b".5"),
        *(b"\xff", b"\xed\xa0\x80", b"\xc3", b"\xef\xbb\xbf", b"\x00", b"\x1f", b"\x7f"),
        *(b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\q"', b'"\\u12"', b"\\", b'"', b"'"),
        *(b"{", b"}", b"[", b"]", b",", b":", b"{}", b"null", b"true", b" ", b"\n"),
        *(b'"count":1,', b'"score":2,', b'"\\u0063ount":3,', b"/**/", b"9" * 400),
    ]
)


@st.composite
def mutated(draw: Callable[[Any], Any]) -> bytes:
    """A rendered event with a few bytes cut out, doubled, or replaced by what breaks parsers."""
    value: bytes = draw(rendered())
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(value)))
        end = draw(st.integers(start, min(len(value), start + 4)))
        kind = draw(st.integers(0, 3))
        middle = [b"", value[start:end] * 2, draw(_TOKENS), draw(st.binary(max_size=3))][kind]
        value = value[:start] + middle + value[end:]
    return value


def nested(n: int) -> bytes:
    """Valid JSON, n arrays deep."""
    return b'{"required":1,"other":' + b"[" * n + b"]" * n + b"}"


RECORDS = (
    rendered()
    | mutated()
    | st.binary(max_size=20)
    | st.none()
    | VALUES.map(lambda value: json.dumps(value).encode())
    | st.sampled_from([100, 5_000, 200_000]).map(nested)
)
"""Anything that a Kafka record may hold."""
