"""Decode: every record is a row, a fault or a drop, and a row holds what plain JSON says."""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.codec import reference
from tests.codec.strategies import EVENTS, RECORDS, SCHEMA, mutated, nested, rendered
from worker.batch import Column, DType
from worker.codec.decode import TOMBSTONE, Decoded, Decoder
from worker.errors import Stage
from worker.nodes._instants import instants
from worker.schema import parse

SINK = ["score", "é", "count"]
SCHEMA_OF_ALL = parse(SCHEMA)
DECODER = Decoder(SCHEMA_OF_ALL, SCHEMA_OF_ALL.columns, SINK)


def decoder(properties: dict[str, Any], sink: list[str] | None = None, **keywords: Any) -> Decoder:
    """A decoder that builds every column of these fields."""
    schema = parse({"type": "object", "properties": properties, **keywords})
    return Decoder(schema, schema.columns, sink or [])


def items(column: Column) -> list[Any]:
    """Python values, None where missing; a date-time as milliseconds since 1970."""
    if column.type.dtype is DType.DATETIME:
        ticks = column.values.astype(np.int64).tolist()
        return [None if gone else t for gone, t in zip(column.missing, ticks, strict=True)]
    return column.to_list()


def fates(decoded: Decoded) -> dict[int, Any]:
    """Row -> its columns' values, or its fault, or its drop."""
    columns = {name: items(column) for name, column in decoded.batch.columns.items()}
    found: dict[int, Any] = {
        row: {name: values[i] for name, values in columns.items()}
        for i, row in enumerate(decoded.batch.rows.tolist())
    }
    found |= {drop.row: drop.reason for drop in decoded.drops}
    return found | {fault.row: (fault.error, fault.message) for fault in decoded.faults}


def fate(value: bytes | None, using: Decoder = DECODER) -> Any:
    """What becomes of one record."""
    return fates(using.decode([value]))[0]


def expected(value: bytes) -> dict[str, Any] | None:
    """The columns of one record as the reference reads them, None where it refuses."""
    try:
        return reference.columns(reference.strict_json(value))
    except reference.UnfitError:
        return None


@pytest.mark.parametrize("beyond", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+05:00"])
def test_an_offset_that_leads_out_of_time(beyond: str) -> None:
    """What no text with four digits for the year can carry is told like any misfit."""
    using = decoder({"at": {"type": "string", "format": "date-time"}, "n": {"type": "integer"}})
    values = [b'{"n":1}', b'{"n":2,"at":"%b"}' % beyond.encode(), b'{"n":3}', b"x"]
    found = fates(using.decode(values))
    message = "outside the years 1 to 9999 in UTC - at `at`; correct the event"
    assert found[1] == ("SchemaMismatch", message)
    assert [found[0]["n"], found[2]["n"]] == [1, 3]
    assert [fault.row for fault in using.decode(values).faults] == [1, 3]


@settings(max_examples=100)
@given(st.lists(RECORDS, max_size=6))
def test_every_record_has_one_fate(values: list[bytes | None]) -> None:
    """Whatever was read, each record is exactly one of row, fault and drop, in order."""
    decoded = DECODER.decode(values)
    rows = decoded.batch.rows.tolist()
    faults = [fault.row for fault in decoded.faults]
    drops = [drop.row for drop in decoded.drops]
    assert sorted([*rows, *faults, *drops]) == list(range(len(values)))
    assert [rows, faults, drops] == [sorted(rows), sorted(faults), sorted(drops)]
    assert drops == [i for i, value in enumerate(values) if value is None]
    assert {drop.reason for drop in decoded.drops} <= {TOMBSTONE}
    assert all(fault.stage is Stage.DECODE and fault.message for fault in decoded.faults)
    assert {name: column.type for name, column in decoded.batch.columns.items()} == (
        SCHEMA_OF_ALL.columns
    )


@settings(max_examples=60)
@given(st.lists(RECORDS, max_size=6))
def test_no_record_changes_anothers_fate(values: list[bytes | None]) -> None:
    """A record among others has the fate that it has alone."""
    assert fates(DECODER.decode(values)) == {i: fate(value) for i, value in enumerate(values)}


@settings(max_examples=100)
@given(mutated() | st.binary(max_size=20))
@example(b'{"required":1,"other":"\\ud800"}')
@example(b'{"required":1,"\\udfff":1}')
@example(b'{"required":1,"other":NaN}')
@example(b'{"required":1,"other":"\xff"}')
@example(b'{"required":1,"\xc3":1}')
@example(b'{"required":1}\x00')
@example(b'\xef\xbb\xbf{"required":1}')
def test_what_is_accepted_is_what_a_strict_reader_accepts(value: bytes) -> None:
    """A row is JSON by the letter and fits the schema, and holds what a plain walk finds.

    Of duplicate keys the last one wins, but an earlier one that does not fit is refused.
    """
    found, wanted = fate(value), expected(value)
    if isinstance(found, dict):
        assert found == wanted
    elif wanted is not None:
        assert reference.has_duplicates(value)


@settings(max_examples=80)
@given(st.lists(rendered(), max_size=5))
def test_columns_are_those_of_a_plain_walk(values: list[bytes]) -> None:
    """Columns equal what json.loads and a walk find, missing values and defaults included."""
    walked = {i: expected(value) for i, value in enumerate(values)}
    rows = {i: one for i, one in fates(DECODER.decode(values)).items() if isinstance(one, dict)}
    assert rows == {i: one for i, one in walked.items() if one is not None}


@settings(max_examples=50)
@given(st.lists(rendered(), max_size=4))
def test_carries_are_the_events_that_have_a_sink_field(values: list[bytes]) -> None:
    """Exactly the rows whose event has an undeclared sink field, however its key is written."""
    using = Decoder(SCHEMA_OF_ALL, [], ["score", "é"])
    rows = using.decode(values).batch.rows.tolist()
    wanted = {row for row in rows if {"score", "é"} & json.loads(values[row]).keys()}
    assert using.decode(values).carries == wanted


def test_a_declared_sink_field_is_carried_by_all() -> None:
    """Where the sink writes a declared field, the encoder is told to look at every event."""
    using = decoder({"a": {"type": "number"}}, ["a"])
    assert using.decode([b'{"a":1}', b"{}", b"[]"]).carries == {0, 1}


@pytest.mark.parametrize("name", ['a"b', "a\\b", "\n"])
def test_a_sink_field_that_no_struct_can_hold_is_looked_for_in_every_event(name: str) -> None:
    """A name that JSON escapes is no reason to fail."""
    assert decoder({}, [name]).decode([b"{}"]).carries == {0}


def test_a_closed_schema_refuses_the_sink_field() -> None:
    """Where undeclared fields are refused, an event that carries the sink's is one of them."""
    using = decoder({}, ["score"], additionalProperties=False)
    decoded = using.decode([b"{}", b'{"score":1}'])
    assert (decoded.batch.rows.tolist(), decoded.carries) == ([0], frozenset())
    assert "`score`" in decoded.faults[0].message


def test_a_crafted_trio_keeps_its_rows() -> None:
    """Fragments that would join to three valid events are three faults of their own."""
    using = decoder({"a": {"type": "integer"}, "b": {"type": "integer"}})
    trio = [b'{"a":1},{"a":2}', b'{"a":3', b'"b":4}']
    decoded = using.decode([b'{"a":0}', *trio, b'{"a":5}'])
    assert decoded.batch.rows.tolist() == [0, 4]
    assert decoded.batch["a"].to_list() == [0, 5]
    assert [fault.row for fault in decoded.faults] == [1, 2, 3]


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (b"", "MalformedJson"),
        (b" ", "MalformedJson"),
        (b"{", "MalformedJson"),
        (b'{"required":1}{}', "MalformedJson"),
        (b'{"required":NaN}', "MalformedJson"),
        (b'{"required":1,"other":-Infinity}', "MalformedJson"),
        (b'{"required":1,"other":"\\ud800"}', "MalformedJson"),
        (b'\xef\xbb\xbf{"required":1}', "MalformedJson"),
        (b'{"required":1,"other":"\xff"}', "InvalidUtf8"),
        (b'{"required":1,"\xff":1}', "InvalidUtf8"),
        (b'{"required":1,"other":"\xed\xa0\x80"}', "InvalidUtf8"),
        ("{}".encode("utf-16"), "InvalidUtf8"),
        (b"[]", "SchemaMismatch"),
        (b"1", "SchemaMismatch"),
        (b"null", "SchemaMismatch"),
        (b"{}", "SchemaMismatch"),
        (b'{"required":1.5}', "SchemaMismatch"),
        (b'{"required":"1"}', "SchemaMismatch"),
        (b'{"required":true}', "SchemaMismatch"),
        (b'{"required":9223372036854775808}', "SchemaMismatch"),
        (b'{"required":-9223372036854775809}', "SchemaMismatch"),
        (b'{"required":1,"number":1e400}', "SchemaMismatch"),
        (b'{"required":1,"number":' + b"9" * 400 + b"}", "SchemaMismatch"),
        (b'{"required":1,"vector":[1]}', "SchemaMismatch"),
        (b'{"required":1,"vector":[1,null]}', "SchemaMismatch"),
        (b'{"required":1,"whole":[1,1.5]}', "SchemaMismatch"),
        (b'{"required":1,"whole":[1,9223372036854775808]}', "SchemaMismatch"),
        (b'{"required":1,"word":"c"}', "SchemaMismatch"),
        (b'{"required":1,"when":"2024-01-01T00:00:00"}', "SchemaMismatch"),
        (b'{"required":1,"when":"2024-02-30T00:00:00Z"}', "SchemaMismatch"),
        (b'{"required":1,"when":5}', "SchemaMismatch"),
        (b'{"required":1,"deep":{"closed":{}}}', "SchemaMismatch"),
        (b'{"required":1,"deep":{"closed":{"\xc3\xa9.x":"","b":1}}}', "SchemaMismatch"),
        (nested(200_000), "TooDeep"),
        (b'{"required":1,"other":' + b'{"a":' * 200_000, "TooDeep"),
    ],
)
def test_each_way_to_be_wrong_has_its_name(value: bytes, error: str) -> None:
    """The fault's class says what kind of mistake it is."""
    assert fate(value)[0] == error


@pytest.mark.parametrize(
    "value",
    [
        b'{"required":1,"word":"' + b"secret" * 10_000 + b'"}',
        b'{"required":1,"text":"' + b"secret" * 10_000 + b'"}',
        b'{"required":1,"when":"' + b"secret" * 10_000 + b'"}',
        b'{"required":1,"code":31337}',
        b'{"required":1,"number":"secret"}',
    ],
)
def test_a_message_names_the_field_and_not_its_value(value: bytes) -> None:
    """A message is a header: it is short, tells the place, and quotes nothing of the event."""
    _, message = fate(value)
    assert "`$." in message
    assert "secret" not in message
    assert "31337" not in message
    assert len(message) < 200


def test_a_field_name_of_any_length_gives_a_short_message() -> None:
    """The only thing of an event that a message quotes is a name, cut off where it is long."""
    value = b'{"required":1,"deep":{"closed":{"' + b"k" * 10_000 + b'":1}}}'
    assert len(fate(value)[1]) < 400


def test_defaults_stand_in_for_absent_fields_only() -> None:
    """An absent field takes its default, a null one is missing, also below an object."""
    using = decoder(
        {
            "a": {"type": "integer", "default": 7},
            "o": {"type": "object", "properties": {"b": {"type": "string", "default": "x"}}},
        }
    )
    values = [b"{}", b'{"a":null,"o":{"b":null}}', b'{"o":{}}', b'{"o":null}', b'{"a":1}']
    batch = using.decode(values).batch
    assert batch["a"].to_list() == [7, None, 7, 7, 1]
    assert batch["o.b"].to_list() == ["x", None, "x", None, "x"]


def test_null_is_no_value_for_a_required_field() -> None:
    """Unless the schema says so: for values, for vectors and for objects."""
    vector = {"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 1}
    kinds: list[dict[str, Any]] = [{"type": "number"}, vector, {"type": "object"}]
    for source in kinds:
        for nullable in (False, True):
            kind = [source["type"], "null"] if nullable else source["type"]
            using = decoder({"a": {**source, "type": kind}}, required=["a"])
            assert len(using.decode([b'{"a":null}']).batch) == nullable
            assert len(using.decode([b"{}"]).faults) == 1


def test_a_default_object_is_not_shared_between_events() -> None:
    """An event that lacks an object leaves nothing behind for the next one."""
    properties = {"o": {"type": "object", "properties": {"b": {"type": "number"}}}}
    batch = decoder(properties).decode([b'{"o":{"b":1}}', b"{}", b'{"o":{"b":2}}', b"{}"]).batch
    assert batch["o.b"].to_list() == [1.0, None, 2.0, None]


def test_the_last_of_duplicate_keys_wins() -> None:
    """For values, for objects as a whole, and for keys written with escapes."""
    using = decoder(
        {
            "a": {"type": "integer"},
            "o": {
                "type": "object",
                "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}},
            },
        }
    )
    batch = using.decode([b'{"a":1,"\\u0061":2,"o":{"x":1},"o":{"y":2}}']).batch
    assert {name: column.to_list() for name, column in batch.columns.items()} == {
        "a": [2],
        "o.x": [None],
        "o.y": [2],
    }


def test_only_wanted_columns_are_built_but_all_fields_are_checked() -> None:
    """A field nobody reads costs no column, and still has to fit."""
    schema = parse({"type": "object", "properties": {"a": {"type": "number"}, "b": SCHEMA}})
    decoded = Decoder(schema, {"a"}, []).decode([b'{"b":{"required":1}}', b'{"b":{}}'])
    assert list(decoded.batch.columns) == ["a"]
    assert [fault.row for fault in decoded.faults] == [1]


def test_a_schema_without_fields_takes_any_object() -> None:
    """Events may be passed on without being looked at."""
    decoded = decoder({}).decode([b'{"a":1}', b"{}", b"3"])
    assert decoded.batch.rows.tolist() == [0, 1]


@pytest.mark.parametrize("values", [[], [None], [b"x"], [None, b"", b"x"]])
def test_no_live_row_gives_empty_columns(values: list[bytes | None]) -> None:
    """Columns keep their types where nothing could be read."""
    batch = DECODER.decode(values).batch
    assert {name: (len(c), c.type) for name, c in batch.columns.items()} == {
        name: (0, kind) for name, kind in SCHEMA_OF_ALL.columns.items()
    }


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_read_to_the_last_bit(number: float) -> None:
    """A number has the value that Python's own reader gives it, sign of zero included."""
    value = json.dumps({"a": number}).encode()
    (found,) = decoder({"a": {"type": "number"}}).decode([value]).batch["a"].values.tolist()
    assert (found, math.copysign(1, found)) == (number, math.copysign(1, number))


def test_the_strategies_make_rows_and_faults() -> None:
    """Guards the properties above: events are drawn that fit, and some that do not."""
    seen: set[type] = set()

    @settings(max_examples=60, database=None)
    @given(rendered(EVENTS))
    def look(value: bytes) -> None:
        seen.add(type(fate(value)))

    look()
    assert seen == {dict, tuple}


FINE = st.builds(
    lambda moment, digits, zone: f"{moment:%Y-%m-%dT%H:%M:%S}.{digits}{zone}",
    st.datetimes(min_value=datetime(1000, 1, 2), max_value=datetime(9998, 1, 1)),
    st.text("059", min_size=7, max_size=9) | st.text("09", max_size=3).map("9999995".__add__),
    st.sampled_from(["Z", "+02:00", "-11:30"]),
)


@given(st.lists(st.tuples(FINE, st.text(max_size=3)), min_size=1, max_size=4))
@example([("1969-12-31T23:59:59.9999999Z", "")])
def test_a_time_is_cut_to_the_millisecond_by_every_route(rows: list[tuple[str, str]]) -> None:
    """Digits beyond the third never carry over; the schema reads a time as ToDatetime does."""
    properties = {"properties": {"t": {"type": "string", "format": "date-time"}}}
    using = decoder({"a": {"type": "object", **properties}, "s": {"type": "string"}})
    values = [json.dumps({"a": {"t": t}, "s": s}, ensure_ascii=False).encode() for t, s in rows]
    found = using.decode([None, *values])
    expected = instants(Column.of([t for t, _ in rows], DType.TEXT))
    assert found.batch["a.t"].to_list() == expected.to_list()
    assert using.decode(values).batch["a.t"].to_list() == expected.to_list()


def test_what_a_second_look_would_take_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """How deep a parser may go depends on where it is called: a refused event keeps its fault."""
    using = decoder({"a": {"type": "number"}})
    read, left = using._decode, [True]

    def once(value: bytes) -> Any:
        if value == b'{"a":2}' and left:
            left.clear()
            raise RecursionError
        return read(value)

    monkeypatch.setattr(using, "_decode", once)
    decoded = using.decode([b'{"a":1}', b'{"a":2}', b'{"a":3}'])
    assert (decoded.batch.rows.tolist(), items(decoded.batch["a"])) == ([0, 2], [1.0, 3.0])
    assert [(one.row, one.error) for one in decoded.faults] == [(1, "TooDeep")]
