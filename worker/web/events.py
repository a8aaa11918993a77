"""From a request's JSON to event values: the very bytes that a record would carry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from worker.schema import Schema, column_name
from worker.web.answers import Refusal
from worker.web.members import WHITESPACE, Members

_SHAPE = "one event is an object, several are a list of objects"
MALFORMED = (msgspec.MsgspecError, UnicodeError, RecursionError)
_one = msgspec.json.Decoder(msgspec.Raw).decode
_column = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def split(body: bytes, most: int) -> tuple[list[bytes], bool]:
    """The values of a body, and whether it was a single event rather than a list.

    What stands in a list is not looked into: whether it fits the schema is the decoder's
    business, event by event.

    Raises:
        Refusal: 400 where the body as a whole is no event and no list, 413 for too many events.
    """
    stripped = body.strip(WHITESPACE)
    try:
        if stripped[:1] == b"[":
            values = Members.of(body)
            few_enough(len(values), most)
            return list(values.pieces()), False
        _one(body)
    except MALFORMED as error:
        raise malformed(error, _SHAPE) from error
    if stripped[:1] != b"{":
        raise Refusal(400, "an event is a JSON object", hint=_SHAPE)
    return [stripped], True


def split_columns(body: bytes, schema: Schema, most: int) -> list[bytes]:
    """The events of ``{"age": {"0": 31, "1": 58}, "gender": {"0": "f"}}``.

    A label names an event; they keep the order in which they first appear. A column that is
    declared below the top of the event, such as ``user.age``, goes to its place.

    Raises:
        Refusal: 400 where the body has another shape, 413 for too many events.
    """
    rows: dict[str, dict[str, msgspec.Raw]] = {}
    try:
        for name, cells in _columns(body, most):
            for label, value in cells.items():
                rows.setdefault(label, {})[name] = value
    except MALFORMED as error:
        hint = 'columns look like {"age": {"0": 31, "1": 58}}'
        raise malformed(error, hint) from error
    few_enough(len(rows), most)
    return assembled(schema, rows.values())


def _columns(body: bytes, most: int) -> Iterator[tuple[str, dict[str, msgspec.Raw]]]:
    """Each column by itself, so that other threads have their turn in between."""
    if body.strip(WHITESPACE)[:1] != b"{":
        _column(body)  # which says what it is instead
    for member in Members.of(body).pieces():
        for name, cells in _column(b"{%b}" % member).items():
            text = bytes(cells)
            if text.count(b",") >= most:
                few_enough(len(Members.of(text)), most)
            yield name, _column(text)


def assembled(schema: Schema, rows: Iterable[Mapping[str, msgspec.Raw]]) -> list[bytes]:
    """Events from their values by column name; the values' bytes are kept.

    Raises:
        Refusal: 400 where a column stands inside another.
    """
    paths = {column_name(path): path for path, _ in schema.leaves()}
    return [msgspec.json.encode(_tree(row, paths)) for row in rows]


def _tree(row: Mapping[str, msgspec.Raw], paths: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, value in row.items():
        *outer, last = paths.get(name, (name,))
        node = tree
        for part in outer:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                raise _inside(name)
        if last in node:
            raise _inside(name)
        node[last] = value
    return tree


def few_enough(events: int, most: int) -> None:
    """Checks the number of events.

    Raises:
        Refusal: 413.
    """
    if events > most:
        hint = "send fewer at a time, or raise RTML_HTTP_MAX_EVENTS"
        raise Refusal(413, f"{events} events are more than {most}", hint=hint)


def malformed(error: Exception, hint: str = "") -> Refusal:
    """What the JSON decoder says, as a refusal."""
    if isinstance(error, RecursionError):
        return Refusal(400, "the body is nested too deeply", hint=hint)
    if isinstance(error, UnicodeError):
        return Refusal(400, "the body is not valid UTF-8", hint=hint)
    text = str(error)
    if not isinstance(error, msgspec.ValidationError):
        text = f"the body is not JSON: {text.removeprefix('JSON is malformed: ')}"
    return Refusal(400, text, hint=hint)


def _inside(name: str) -> Refusal:
    return Refusal(400, f"column '{name}' and another one name the same place of the event")
