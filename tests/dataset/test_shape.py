"""What a JSON Schema says about the types at a path."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.dataset.cells import converter, guessed
from worker.dataset.columns import encode
from worker.dataset.shape import KINDS, shape_of
from worker.schema import column_name, path_of

NODE = {"$defs": {"node": {"type": "object", "required": ["v"], "properties": {
    "v": {"type": "integer"}, "next": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/node"}]},
}}}, "$ref": "#/$defs/node"}  # fmt: skip


@pytest.mark.parametrize(
    ("schema", "kinds"),
    [
        ({}, KINDS),
        (True, KINDS),
        ({"type": "number"}, {"number", "integer"}),
        ({"type": ["string", "null"]}, {"string", "null"}),
        ({"enum": ["a", None]}, {"string", "null"}),
        ({"const": 1}, {"integer"}),
        ({"properties": {"a": {}}}, {"object"}),
        ({"$ref": "#/$defs/t", "$defs": {"t": {"type": "string"}}}, {"string"}),
        ({"allOf": [{"type": ["string", "null"]}, {"type": ["null", "array"]}]}, {"null"}),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, {"string", "integer"}),
        ({"oneOf": [{"type": "string"}, {}]}, KINDS),
        ({"$ref": "#"}, KINDS),
        ({"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}, KINDS),
        ({"$ref": "#/nowhere"}, KINDS),
        ({"type": "nonsense"}, set()),
    ],
)
def test_kinds(schema: Any, kinds: set[str]) -> None:
    """By type, enum, const, references and combinations; a loop of references ends."""
    assert shape_of(schema).kinds == kinds


def test_a_recursive_schema_has_an_end() -> None:
    """Paths can be asked for at any depth; what is listed stops where a schema meets itself."""
    shape = shape_of(NODE)
    deep = shape.at(("next",) * 20 + ("v",))
    assert deep is not None
    assert deep.kinds == {"integer"}
    assert [path for path, _ in shape.leaves()] == [("v",), ("next",)]
    assert list(shape.needed()) == [("v",)]


def test_members_of_alternatives() -> None:
    """A field that only some alternatives declare is declared, with the types of all of them."""
    shape = shape_of(
        {"oneOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"a": {"const": 1}}}]}
    )
    member = shape.member("a")
    assert member is not None
    assert member.kinds == {"string", "integer"}
    assert shape.member("b") is None


@given(st.lists(st.text(), min_size=1).map(tuple))
def test_a_path_has_one_name(path: tuple[str, ...]) -> None:
    """A dotted path or JSON Pointer leads back to where it came from."""
    assert path_of(column_name(path)) == path


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("7", b"7"),
        (" -7 ", b"-7"),
        ("007", b'"007"'),
        ("1.50", b"1.50"),
        ("1e3", b"1e3"),
        ("1e999", b'"1e999"'),
        ("1_000", b'"1_000"'),
        ("nan", b'"nan"'),
        ("59546494796998108798052739121549698597", b'"59546494796998108798052739121549698597"'),
        ("True", b"true"),
        ("[1, 2]", b"[1,2]"),
        ("[1", b'"[1"'),
        ("{}", b'"{}"'),
    ],
)
def test_cells_by_their_looks(cell: str, value: bytes) -> None:
    """Numbers that 64 bits hold, true and false, lists; anything else is text."""
    assert encode({"x": guessed(cell)}) == b'{"x":' + value + b"}"


@pytest.mark.parametrize(
    ("kinds", "cell", "value"),
    [
        (["string", "integer"], "7", b"7"),
        (["string", "integer"], "x", b'"x"'),
        (["integer", "null"], "1_000", b'"1_000"'),
        (["integer"], "+7", b"7"),
        (["integer"], "007", b"7"),
        (["number"], "-.5", b"-0.5"),
        (["integer"], "+9223372036854775808", b"9.223372036854776e18"),
        (["object"], '{"a":[1]}', b'{"a":[1]}'),
        (["object"], "{", b'"{"'),
    ],
)
def test_cells_by_their_types(kinds: list[str], cell: str, value: bytes) -> None:
    """What a cell can be of the types that are allowed, text last."""
    assert encode({"x": converter(shape_of({"type": kinds}))(cell)}) == b'{"x":' + value + b"}"
