"""Schema inference: what was seen fits, and what is said of it is right."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given

from tests.dataset.strategies import EVENTS
from worker.dataset.check import Checker
from worker.dataset.infer import infer, summary
from worker.dataset.profile import MAX_DISTINCT, MAX_FIELDS, Profile
from worker.errors import ConfigError
from worker.schema import parse


def profile(events: list[dict[str, Any]]) -> Profile:
    """Of events, as they come out of JSON."""
    made = Profile("f")
    for event in events:
        made.add(msgspec.json.decode(msgspec.json.encode(event)))
    return made


def inferred(*values: Any, enums: bool = False, cells: bool = False) -> Any:
    """The schema of a field that held these values."""
    events = [{"x": value} for value in values]
    return infer(profile(events), enums=enums, cells=cells)["properties"]["x"]


@given(EVENTS)
def test_what_was_seen_fits(events: list[dict[str, Any]]) -> None:
    """Whatever the events are, the schema that is inferred from them accepts each."""
    for enums in (False, True):
        checker = Checker(infer(profile(events), enums=enums))
        assert [checker.reasons(event) for event in events] == [[]] * len(events)


@pytest.mark.parametrize(
    ("values", "schema"),
    [
        ([1, 2], {"type": "integer"}),
        ([1, 2.5], {"type": "number"}),
        ([1.0], {"type": "number"}),
        ([2**63], {"type": "number"}),
        ([True], {"type": "boolean"}),
        ([1, "a"], {"type": ["integer", "string"]}),
        (["a", None], {"type": ["string", "null"]}),
        ([None], {"type": ["string", "null"]}),
        (["2026-01-01T00:00:00Z"], {"type": "string", "format": "date-time"}),
        (["2026-01-01T00:00:00Z", "x"], {"type": "string"}),
        (["2026-01-01 00:00:00"], {"type": "string"}),
        (["2026-13-01T00:00:00Z"], {"type": "string"}),
        (
            [[1, 2], [3, 4]],
            {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
        ),
        ([[1], [3, 4]], {"type": "array", "items": {"type": "integer"}}),
        ([["a"], []], {"type": "array", "items": {"type": "string"}}),
        ([[]], {"type": "array"}),
        ([{}], {"type": "object"}),
        (
            [{"a": 1, "b": 1}, {"a": 2}],
            {
                "type": "object",
                "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
                "required": ["a"],
            },
        ),
    ],
)  # fmt: skip
def test_types(values: list[Any], schema: dict[str, Any]) -> None:
    """Each kind of value has its type, format, length and required members."""
    assert inferred(*values) == schema


def test_enums_only_by_a_flag() -> None:
    """Text of few values that occur often enough; no numbers, no nulls."""
    assert inferred("b", "a", "a", "b") == {"type": "string"}
    assert inferred("b", "a", "a", "b", enums=True) == {"type": "string", "enum": ["a", "b"]}
    assert inferred("b", "a", enums=True) == {"type": "string"}
    assert inferred("a", "a", None, enums=True) == {"type": ["string", "null"]}
    assert inferred(1, 1, enums=True) == {"type": "integer"}
    assert inferred(*[str(i) for i in range(21)] * 3, enums=True) == {"type": "string"}


def test_cells_of_several_types_are_text() -> None:
    """Where types were guessed from text, 007 beside 7 makes a text of both."""
    assert inferred(7, "007", cells=True) == {"type": "string"}
    assert inferred(7, 7.5, cells=True) == {"type": "number"}


def test_a_field_is_required_where_its_object_is() -> None:
    """Missing in one event is not required; null is there."""
    schema = infer(profile([{"a": None, "b": {"c": 1}}, {"a": 1}]))
    assert schema["required"] == ["a"]
    assert schema["properties"]["b"]["required"] == ["c"]


def test_the_summary_counts() -> None:
    """Paths as a graph names them, missing and null together, different values."""
    events = [{"i": i, "u": {"n.m": "ab"[i % 2] if i % 4 else None}} for i in range(2_000)]
    first, second = summary(profile(events))
    assert (first.field, first.type, first.missing) == ("i", "integer", 0)
    assert (first.distinct, first.example) == (MAX_DISTINCT + 1, "0")
    assert (second.field, second.type, second.missing) == ("/u/n.m", "string or null", 500)
    assert (second.distinct, second.example) == (2, '"b"')


def test_names_that_are_data_are_refused() -> None:
    """An object used as a mapping with ever new keys does not fill the memory."""
    with pytest.raises(ConfigError, match="f has more than 10,000 different fields"):
        profile([{str(i): i} for i in range(MAX_FIELDS + 1)])


def test_a_graph_can_use_it() -> None:
    """The schema of ordinary events is within the subset that graphs read."""
    events = [{"t": "2026-01-01T00:00:00Z", "u": {"v": [1.5, 2.5], "n": 1, "b": True, "s": None}}]
    columns = parse(infer(profile(events))).columns
    assert {name: str(type_) for name, type_ in columns.items()} == {
        "t": "datetime",
        "u.v": "float64[2]",
        "u.n": "int64",
        "u.b": "bool",
        "u.s": "text",
    }
