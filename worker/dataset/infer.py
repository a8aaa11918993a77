"""A JSON Schema (draft 2020-12) from the events that were seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from worker.dataset.check import DRAFT
from worker.dataset.profile import MAX_DISTINCT, Field, Profile
from worker.schema import column_name

MAX_ENUM = 20
"""Different values that a list of what may occur can have."""
_SEEN_EACH = 2
"""A list of values is believed where each occurred so often on average."""
_EXAMPLE_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Row:
    """A field in the summary.

    Attributes:
        field: its dotted path, or JSON Pointer.
        type: in a few words.
        missing: events without it, or with null.
        distinct: different values; one more than `MAX_DISTINCT` stands for more.
        example: the first value as JSON, cut short.
    """

    field: str
    type: str
    missing: int
    distinct: int
    example: str


def infer(profile: Profile, *, enums: bool = False, cells: bool = False) -> dict[str, Any]:
    """The schema that every event of the profile fits.

    Args:
        profile: of the events.
        enums: list the values of text that has only few.
        cells: types were guessed from cells of text: a field of several types is text.
    """
    return {"$schema": DRAFT, **_schema(profile.root, enums=enums, cells=cells)}


def summary(profile: Profile, *, cells: bool = False) -> list[Row]:
    """Each value of the profile's events, with how often it is missing."""
    events = profile.root.seen
    return [
        Row(
            column_name(path),
            _words(_schema(field, enums=False, cells=cells)),
            events - field.filled,
            len(field.values),
            _example(field),
        )
        for path, field in profile.leaves()
    ]


def distinct(n: int) -> str:
    """The number of different values as people read it."""
    return f"{n:,}" if n <= MAX_DISTINCT else f"{MAX_DISTINCT:,}+"


def kinds_of(field: Field, *, cells: bool = False) -> list[str]:
    """The JSON types of a field, null last; whole numbers among others are numbers."""
    kinds = [kind for kind, n in field.kinds.items() if n and kind != "null"]
    if "number" in kinds and "integer" in kinds:
        kinds.remove("integer")
    if not kinds or (cells and len(kinds) > 1):
        kinds = ["string"]  # what was never filled is taken for text
    return [*sorted(kinds), *(["null"] if field.kinds["null"] else [])]


def _schema(field: Field, *, enums: bool, cells: bool) -> dict[str, Any]:
    kinds = kinds_of(field, cells=cells)
    schema: dict[str, Any] = {"type": kinds[0] if len(kinds) == 1 else kinds}
    if "string" in kinds and field.date_time and field.kinds["string"] == field.filled:
        schema["format"] = "date-time"
    elif enums and kinds == ["string"] and _lists(field):
        schema["enum"] = sorted(field.values)
    if "array" in kinds:
        schema |= _array(field)
    if "object" in kinds and field.members:
        schema["properties"] = {
            name: _schema(member, enums=enums, cells=cells)
            for name, member in field.members.items()
        }
        objects = field.kinds["object"]
        required = [name for name, member in field.members.items() if member.seen == objects]
        if required:
            schema["required"] = required
    return schema


def _array(field: Field) -> dict[str, Any]:
    """What the items are; numbers of one length are a vector, which a graph can use."""
    if field.items is None or not field.items.seen:
        return {}
    schema: dict[str, Any] = {"items": _schema(field.items, enums=False, cells=False)}
    assert field.lengths is not None  # there was an array
    least, most = field.lengths
    if least == most and schema["items"]["type"] in ("number", "integer"):
        schema |= {"minItems": least, "maxItems": most}
    return schema


def _lists(field: Field) -> bool:
    values = field.values
    few = 0 < len(values) <= MAX_ENUM and len(values) * _SEEN_EACH <= field.seen
    return few and set(+field.kinds) == {"string"} and all(isinstance(v, str) for v in values)


def _words(schema: dict[str, Any]) -> str:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    words = []
    for kind in kinds:
        if kind == "array" and "items" in schema:
            length = f"[{schema['minItems']}]" if "minItems" in schema else ""
            words.append(f"list{length} of {_words(schema['items'])}")
        elif kind == "string" and "format" in schema:
            words.append("date-time")
        else:
            words.append(kind)
    return " or ".join(words)


def _example(field: Field) -> str:
    if field.example is None:
        return ""
    text = msgspec.json.encode(field.example).decode()
    return text if len(text) <= _EXAMPLE_LENGTH else text[: _EXAMPLE_LENGTH - 3] + "..."
