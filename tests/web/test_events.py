"""From a body to event values, whatever the body is."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.codec.strategies import TEXT, VALUES
from worker.schema import parse
from worker.web.answers import Refusal
from worker.web.events import assembled, few_enough, split, split_columns

SPACES = st.text(" \t\r\n", max_size=3)
SCHEMA = parse(
    {
        "type": "object",
        "properties": {
            "a": {"type": "number"},
            "u": {"type": "object", "properties": {"x": {"type": "number"}}},
        },
    }
)


def refused(body: bytes) -> tuple[int, str]:
    """Status and words of a refusal."""
    with pytest.raises(Refusal) as caught:
        split(body, 5)
    return caught.value.status, caught.value.error


@given(st.lists(VALUES, max_size=5), SPACES, SPACES)
def test_a_list_is_split_into_its_items(items: list[Any], before: str, after: str) -> None:
    """Each value's own bytes, and the same JSON."""
    joint = f"{after},{before}".join(json.dumps(item) for item in items)
    values, single = split(f"{before}[{joint}]{after}".encode(), 5)
    assert (values, single) == ([json.dumps(item).encode() for item in items], False)


@given(st.dictionaries(TEXT, VALUES, max_size=4), SPACES)
def test_an_object_is_one_event(event: dict[str, Any], around: str) -> None:
    """Its bytes as they are, without the white space around it."""
    text = json.dumps(event, indent=1, ensure_ascii=False).encode()
    assert split(around.encode() + text + around.encode(), 1) == ([text], True)


@given(st.binary(max_size=40) | VALUES.map(lambda value: json.dumps(value).encode()[:-1]))
def test_any_bytes_are_values_or_a_refusal(body: bytes) -> None:
    """Nothing else comes out of it, and a value is what a JSON reader takes."""
    try:
        values, _ = split(body, 100)
    except Refusal as refusal:
        values, status = [], refusal.status
    else:
        status = 200
    assert status in (200, 400)
    for value in values:
        json.loads(value.decode(errors="replace"))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "the body is not JSON: Input data was truncated"),
        (b"id=3", "the body is not JSON: invalid character (byte 0)"),
        (b'{"a": NaN}', "the body is not JSON: invalid character (byte 6)"),
        (b'[{"a": Infinity}]', "the body is not JSON: invalid character (byte 7)"),
        (b' {"a": 1}{"a": 2}', "the body is not JSON: trailing characters (byte 10)"),
        (b'{"a": 1}\n{"a": 2}', "the body is not JSON: trailing characters (byte 10)"),
        (b"\xef\xbb\xbf{}", "the body is not JSON: invalid character (byte 0)"),
        (b"[" * 100_000, "the body is nested too deeply"),
        (b'{"a":' * 100_000, "the body is nested too deeply"),
        (b"3", "an event is a JSON object"),
        (b"null", "an event is a JSON object"),
        (b'"{}"', "an event is a JSON object"),
    ],
)
def test_what_is_no_event_is_refused(body: bytes, error: str) -> None:
    """400, with the place where the body stops making sense."""
    assert refused(body) == (400, error)


def test_too_many_events_are_refused() -> None:
    """One above the limit is 413; the limit itself passes."""
    assert len(split(b"[1,2,3,4,5]", 5)[0]) == 5
    status, error = refused(b"[1,2,3,4,5,6]")
    assert (status, error) == (413, "6 events are more than 5")
    few_enough(5, 5)
    with pytest.raises(Refusal, match="2 events are more than 1"):
        split_columns(b'{"a": {"0": 1, "1": 2}}', SCHEMA, 1)


@pytest.mark.parametrize("body", [b"[]", b'{"a": [1]}', b'{"a": 1}', b'{"a": {"0": NaN}}', b"{"])
def test_columns_of_another_shape_are_refused(body: bytes) -> None:
    """400, and the hint shows the shape."""
    with pytest.raises(Refusal) as caught:
        split_columns(body, SCHEMA, 5)
    assert (caught.value.status, '{"age": {"0": 31' in caught.value.hint) == (400, True)


@given(st.lists(st.dictionaries(st.sampled_from(["a", "b", "u.x"]), VALUES, min_size=1)))
def test_columns_and_rows_are_the_same(rows: list[dict[str, Any]]) -> None:
    """Column by column or event by event: the same values; a nested column is nested."""
    columns: dict[str, dict[str, Any]] = {}
    for i, row in enumerate(rows):
        for name, value in row.items():
            columns.setdefault(name, {})[str(i)] = value
    found = split_columns(json.dumps(columns).encode(), SCHEMA, len(rows))
    nested = [
        {"u": {"x": value}} if name == "u.x" else {name: value}
        for row in rows
        for name, value in row.items()
    ]
    merged = [part for text in found for part in _parts(json.loads(text))]
    assert sorted(map(repr, merged)) == sorted(map(repr, nested))


def test_values_keep_their_bytes() -> None:
    """A number is not read and written again."""
    row = {"a": msgspec.Raw(b"1.10"), "u.x": msgspec.Raw(b"1E2")}
    assert assembled(SCHEMA, [row]) == [b'{"a":1.10,"u":{"x":1E2}}']


def _parts(event: dict[str, Any]) -> list[dict[str, Any]]:
    return [{name: value} for name, value in event.items()]
