"""Schema: what is declared, how columns are called, and that nothing is ignored."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.batch import ColumnType, DType
from worker.codec.decode import Decoder
from worker.errors import ConfigError
from worker.schema import MAX_DEPTH, Leaf, column_name, is_plain, parse

NUMBER = {"type": "number"}


def event(**properties: Any) -> dict[str, Any]:
    """The schema of an event with these fields."""
    return {"type": "object", "properties": properties}


def problems(source: object) -> list[str]:
    """``path: message`` of everything that `parse` does not understand."""
    with pytest.raises(ConfigError) as caught:
        parse(source)
    return [str(problem) for problem in caught.value.problems]


def leaf(source: dict[str, Any]) -> Leaf:
    """The only value of a schema."""
    ((_, found),) = parse(event(a=source)).leaves()
    return found


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"type": "number"}, ColumnType(DType.FLOAT64)),
        ({"type": "integer"}, ColumnType(DType.INT64)),
        ({"type": "boolean"}, ColumnType(DType.BOOL)),
        ({"type": "string"}, ColumnType(DType.TEXT)),
        ({"type": "string", "format": "date-time"}, ColumnType(DType.DATETIME)),
        ({"type": ["null", "number"]}, ColumnType(DType.FLOAT64)),
        (
            {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3},
            ColumnType(DType.FLOAT64, 3),
        ),
    ],
)
def test_each_json_type_has_a_column_type(source: dict[str, Any], expected: ColumnType) -> None:
    """JSON types, date-times and arrays of one length become typed columns."""
    assert leaf(source).type == expected


def test_paths_become_dotted_columns_in_file_order() -> None:
    """Nested fields are columns of their dotted path, in the schema's order."""
    schema = parse(event(z=NUMBER, _tenant=event(id=event(ecid=NUMBER), a=NUMBER)))
    assert list(schema.columns) == ["z", "_tenant.id.ecid", "_tenant.a"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("a", "b"), "a.b"),
        (("a.b",), "/a.b"),
        (("a", "b.c"), "/a/b.c"),
        (("a/b",), "/a~1b"),
        (("~", "x/y"), "/~0/x~1y"),
        (("~",), "~"),
        (("",), "/"),
        (("@topic",), "/@topic"),
    ],
)
def test_a_segment_that_no_path_can_hold_makes_a_pointer(
    path: tuple[str, ...], expected: str
) -> None:
    """Dots, slashes, empty names and a leading @ give a JSON Pointer (RFC 6901)."""
    assert column_name(path) == expected


SEGMENTS = st.lists(st.text(alphabet="ab.~/@01", max_size=4), min_size=1, max_size=3).map(tuple)


@given(SEGMENTS, SEGMENTS)
def test_two_paths_never_share_a_column(a: tuple[str, ...], b: tuple[str, ...]) -> None:
    """Different fields have different columns, whatever their names hold."""
    assert (column_name(a) == column_name(b)) == (a == b)


@given(SEGMENTS)
def test_no_field_takes_a_reserved_name(path: tuple[str, ...]) -> None:
    """No field can become a column whose name begins with @."""
    assert not column_name(path).startswith("@")


def test_requirement_null_default_and_bounds_are_kept() -> None:
    """A leaf says whether its field must be there, may be null, and what replaces it."""
    source = {"type": ["integer", "null"], "default": 3, "minimum": 1, "maximum": 5}
    ((_, found),) = parse({**event(a=source), "required": ["a"]}).leaves()
    expected = Leaf(ColumnType(DType.INT64), True, True, 3, {"minimum": 1, "maximum": 5})
    assert found == expected


def test_annotations_are_allowed() -> None:
    """Keywords that demand nothing may stand anywhere."""
    source = {**NUMBER, "title": "t", "description": "d", "examples": [1], "$comment": "c"}
    assert leaf(source).type == ColumnType(DType.FLOAT64)


@pytest.mark.parametrize(
    ("source", "path", "told"),
    [
        ({"type": "number", "multipleOf": 2}, "properties.a.multipleOf", "'multipleOf'"),
        ({"type": "number", "minium": 2}, "properties.a.minium", "did you mean 'minimum'?"),
        ({"type": "string", "pattern": "x"}, "properties.a.pattern", "'pattern'"),
        ({"type": "number", "format": "x"}, "properties.a.format", "'format'"),
        ({"type": "string", "minimum": 2}, "properties.a.minimum", "'minimum'"),
        ({"type": "string", "format": "uuid"}, "properties.a.format", "date-time"),
        ({"anyOf": [NUMBER]}, "properties.a.type", "must be one of"),
        ({"type": "nmber"}, "properties.a.type", "did you mean 'number'?"),
        ({"type": ["number", "string"]}, "properties.a.type", "must be one of"),
        ({"type": "null"}, "properties.a.type", "must be one of"),
        ({"type": []}, "properties.a.type", "must be one of"),
        (True, "properties.a", "JSON Schema object"),
        ({"type": "array", "items": NUMBER}, "properties.a", "equal minItems and maxItems"),
        (
            {"type": "array", "items": NUMBER, "minItems": 1, "maxItems": 2},
            "properties.a",
            "equal minItems and maxItems",
        ),
        (
            {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 1},
            "properties.a.items",
            "{type: number}",
        ),
        (
            {
                "type": "array",
                "items": {"type": "number", "minimum": 0},
                "minItems": 1,
                "maxItems": 1,
            },
            "properties.a.items",
            "minimum",
        ),
        (
            {"type": "array", "items": NUMBER, "minItems": 10**9, "maxItems": 10**9},
            "properties.a",
            "from 1 to",
        ),
        ({"type": "object", "properties": 3}, "properties.a.properties", "must be an object"),
        ({"type": "object", "required": "b"}, "properties.a.required", "list of field names"),
        ({"type": "object", "required": ["b"]}, "properties.a.required", "'b' is no declared"),
        (
            {"type": "object", "additionalProperties": NUMBER},
            "properties.a.additionalProperties",
            "true or false",
        ),
    ],
)
def test_what_is_not_supported_is_named(source: object, path: str, told: str) -> None:
    """A keyword or type outside the subset is one problem at its path, with the near miss."""
    (problem,) = problems(event(a=source))
    assert problem.startswith(f"{path}: ")
    assert told in problem


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ({"type": "integer", "enum": [1, 2**70]}, "enum"),
        ({"type": "integer", "enum": []}, "enum"),
        ({"type": "integer", "enum": 3}, "enum"),
        ({"type": "integer", "enum": [1, "a"]}, "enum"),
        ({"type": "integer", "enum": [True]}, "enum"),
        ({"type": "string", "enum": ["a", None]}, "enum"),
        ({"type": "string", "enum": ["\ud800"]}, "enum"),
        ({"type": "number", "enum": [1.5]}, "enum"),
        ({"type": "boolean", "enum": [True]}, "enum"),
        ({"type": "integer", "enum": [1, 5], "maximum": 3}, "enum"),
        ({"type": "integer", "minimum": 2**70}, "minimum"),
        ({"type": "integer", "minimum": 1.5}, "minimum"),
        ({"type": "integer", "exclusiveMinimum": -(2**70)}, "exclusiveMinimum"),
        ({"type": "number", "minimum": 10**400}, "minimum"),
        ({"type": "number", "maximum": float("inf")}, "maximum"),
        ({"type": "number", "maximum": True}, "maximum"),
        ({"type": "number", "minimum": 1, "exclusiveMinimum": 1}, "exclusiveMinimum"),
        ({"type": "number", "maximum": 1, "exclusiveMaximum": 1}, "exclusiveMaximum"),
        ({"type": "number", "minimum": 2, "maximum": 1}, "minimum"),
        ({"type": "number", "exclusiveMinimum": 5, "maximum": 5}, "exclusiveMinimum"),
        ({"type": "number", "minimum": 5, "exclusiveMaximum": 5}, "minimum"),
        ({"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, "exclusiveMinimum"),
        ({"type": "integer", "exclusiveMinimum": 2**63 - 1}, "exclusiveMinimum"),
        ({"type": "integer", "exclusiveMaximum": -(2**63)}, "exclusiveMaximum"),
        ({"type": "string", "minLength": 1_000_001}, "minLength"),
        ({"type": "string", "minLength": 3, "maxLength": 1}, "minLength"),
        ({"type": "string", "minLength": -1}, "minLength"),
        ({"type": "string", "maxLength": 2**70}, "maxLength"),
        ({"type": "string", "maxLength": True}, "maxLength"),
        ({"type": "integer", "default": 2**70}, "default"),
        ({"type": "integer", "default": 1.5}, "default"),
        ({"type": "number", "default": 10**400}, "default"),
        ({"type": "number", "default": True}, "default"),
        ({"type": "boolean", "default": 1}, "default"),
        ({"type": "integer", "default": 5, "maximum": 3}, "default"),
        ({"type": "integer", "default": 3, "exclusiveMaximum": 3}, "default"),
        ({"type": "string", "default": "c", "enum": ["a", "b"]}, "default"),
        ({"type": "string", "default": "abc", "maxLength": 2}, "default"),
        ({"type": "string", "format": "date-time", "enum": ["a"]}, "enum"),
        ({"type": "string", "format": "date-time", "minLength": 2}, "minLength"),
        ({"type": "string", "format": "date-time", "default": "x"}, "default"),
    ],
)
def test_bounds_that_no_decoder_could_keep_are_refused(source: dict[str, Any], path: str) -> None:
    """Bounds and defaults that overflow, contradict or do not belong are one problem each."""
    (problem,) = problems(event(a=source))
    assert problem.startswith(f"properties.a.{path}: ")
    assert len(problem) < 200


@pytest.mark.parametrize(
    ("source", "event"),
    [
        ({"type": "number", "minimum": 5, "maximum": 5}, b'{"a":5}'),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, b'{"a":0.5}'),
        ({"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 2}, b'{"a":1}'),
    ],
)
def test_bounds_that_leave_something_are_kept(source: dict[str, Any], event: bytes) -> None:
    """However narrow they are."""
    schema = parse({"type": "object", "properties": {"a": source}})
    assert Decoder(schema, schema.columns, []).decode([event]).faults == []


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "\ud800"])
def test_a_name_that_no_struct_can_hold_is_refused(name: str) -> None:
    """Names that JSON would have to escape cannot be declared."""
    assert not is_plain(name)
    assert len(problems(event(**{name: NUMBER}))) == 1


def test_every_problem_at_once() -> None:
    """All mistakes of a schema are reported together, in its order."""
    source = {
        **event(a={"type": "nmber"}, b=event(c={"type": "string", "pattern": "x"}), d=3),
        "required": ["e"],
        "oneOf": [],
    }
    assert [problem.partition(": ")[0] for problem in problems(source)] == [
        "oneOf",
        "required",
        "properties.a.type",
        "properties.b.properties.c.pattern",
        "properties.d",
    ]


@pytest.mark.parametrize("source", [None, [], "x", NUMBER, {"type": "array"}, {}, {"type": 3}])
def test_an_event_is_an_object(source: object) -> None:
    """Whatever is no object schema is refused."""
    assert problems(source)


def test_depth_is_bounded() -> None:
    """Objects may be nested `MAX_DEPTH` deep and no deeper."""
    source: dict[str, Any] = NUMBER
    for _ in range(MAX_DEPTH):
        source = event(a=source)
    assert len(parse(source).columns) == 1
    (problem,) = problems(event(a=source))
    assert "nested deeper" in problem


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
KEYS = st.sampled_from(
    ["type", "properties", "required", "items", "minItems", "enum", "default", "format", "title"]
)
TYPES = st.sampled_from(["object", "array", "number", "integer", "string", "boolean", "null"])
SCHEMAS = st.recursive(
    st.fixed_dictionaries(
        {"type": TYPES | st.lists(TYPES, max_size=2)},
        optional={
            "enum": st.lists(st.integers() | st.text(max_size=2), max_size=3),
            "default": VALUES,
            "minimum": st.integers() | st.floats(),
            "maximum": st.integers() | st.floats(),
            "exclusiveMinimum": st.integers() | st.floats(),
            "exclusiveMaximum": st.integers() | st.floats(),
            "minLength": st.integers(),
            "maxLength": st.integers(),
            "format": st.sampled_from(["date-time", "uuid"]),
            "minItems": st.integers(0, 3),
            "maxItems": st.integers(0, 3),
            "items": st.fixed_dictionaries({"type": TYPES}),
        },
    )
    | st.dictionaries(KEYS, VALUES, max_size=4)
    | VALUES,
    lambda inner: st.fixed_dictionaries(
        {"type": st.just("object"), "properties": st.dictionaries(st.text(max_size=3), inner)},
        optional={
            "required": st.lists(st.text(max_size=3), max_size=2),
            "additionalProperties": st.booleans(),
        },
    ),
    max_leaves=6,
)


@settings(max_examples=30)
@given(st.dictionaries(st.text(max_size=3), SCHEMAS, max_size=3))
def test_a_schema_that_is_accepted_can_be_decoded(properties: dict[str, Any]) -> None:
    """Whatever stands in a schema, it is refused as such or gives a working decoder."""
    try:
        schema = parse(event(**properties))
    except ConfigError:
        return
    decoded = Decoder(schema, schema.columns, []).decode([b"{}"])
    assert len(decoded.batch) + len(decoded.faults) == 1
