"""Encode: the event comes back with the sink's fields, and nothing else about it changes."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.codec.strategies import TEXT, VALUES, rendered
from worker.batch import Batch, Column, ColumnType, DType
from worker.codec.decode import Decoder
from worker.codec.encode import Encoder
from worker.codec.outcome import Drop, Outcomes, Scored
from worker.errors import Fault, Stage
from worker.schema import parse

WHITESPACE = b" \t\r\n"
NAMES = st.sampled_from(["score", "é", 'a"b', "a\\b", "100%", "%b", "%s%%", "\n", "", "x.y"]) | TEXT
OBJECTS = rendered(st.dictionaries(NAMES, VALUES, max_size=4))
ITEMS: dict[DType, st.SearchStrategy[Any]] = {
    DType.FLOAT32: st.floats(allow_nan=False, allow_infinity=False, width=32),
    DType.FLOAT64: st.floats(allow_nan=False, allow_infinity=False),
    DType.INT64: st.none() | st.integers(-(2**63), 2**63 - 1),
    DType.BOOL: st.none() | st.booleans(),
    DType.TEXT: st.none() | TEXT,
}


@st.composite
def columns(draw: Any, n: int) -> dict[str, tuple[Column, list[Any]]]:
    """Field name -> a column of n rows, and its items as JSON should show them."""
    made = {}
    for name in draw(st.lists(NAMES, min_size=1, max_size=3, unique=True)):
        dtype = draw(st.sampled_from(list(ITEMS)))
        items: list[Any] = draw(st.lists(ITEMS[dtype], min_size=n, max_size=n))
        if draw(st.booleans()) and n and dtype in (DType.FLOAT32, DType.FLOAT64):
            items = [[item, 1.0] for item in items]
        made[name] = (Column.of(items, dtype), items)
    return made


def carries(values: list[bytes], fields: list[str]) -> frozenset[int]:
    """Which events already have one of the fields, as the decoder says."""
    schema = parse({"type": "object", "properties": {}})
    return Decoder(schema, [], fields).decode(values).carries


def one(column: Column, value: bytes = b'{"a":1}', *, merge: bool = True) -> bytes:
    """The only value of a batch whose sink writes ``column`` as s."""
    encoder = Encoder(["s"], merge=merge)
    (found,), faults = encoder.encode(Batch.of({"s": column}), [value], carries([value], ["s"]))
    assert faults == []
    return found


@settings(max_examples=120)
@given(st.data(), st.lists(OBJECTS, min_size=1, max_size=4))
def test_merge_adds_the_fields_to_the_event(data: st.DataObject, values: list[bytes]) -> None:
    """Parsed, the output is the event with the fields; bytes are kept where none is replaced."""
    drawn = data.draw(columns(len(values)))
    fields = list(drawn)
    batch = Batch.of({name: column for name, (column, _) in drawn.items()})
    found, faults = Encoder(fields, merge=True).encode(batch, values, carries(values, fields))
    assert faults == []
    for i, (before, after) in enumerate(zip(values, found, strict=True)):
        event = json.loads(before)
        new = {name: items[i] for name, (_, items) in drawn.items()}
        assert json.loads(after) == event | new
        assert list(json.loads(after)) == [*(k for k in event if k not in new), *fields]
        if event and not event.keys() & new.keys():
            assert after.startswith(before.rstrip(WHITESPACE)[:-1])


@settings(max_examples=100)
@given(st.data(), st.integers(1, 5))
def test_only_writes_just_the_fields(data: st.DataObject, n: int) -> None:
    """Parsed, the output is the fields and nothing else, in the sink's order."""
    drawn = data.draw(columns(n))
    batch = Batch.of({name: column for name, (column, _) in drawn.items()})
    found, _ = Encoder(list(drawn), merge=False).encode(batch, [b"{}"] * n, frozenset())
    assert [list(json.loads(value).items()) for value in found] == [
        [(name, items[i]) for name, (_, items) in drawn.items()] for i in range(n)
    ]


@settings(max_examples=60)
@given(st.data(), st.lists(OBJECTS, min_size=2, max_size=4))
def test_a_row_is_written_as_if_it_were_alone(data: st.DataObject, values: list[bytes]) -> None:
    """An event that needs the careful way does not change how its neighbours are written."""
    drawn = data.draw(columns(len(values)))
    fields = list(drawn)
    batch = Batch.of({name: column for name, (column, _) in drawn.items()})
    encoder = Encoder(fields, merge=True)
    together, _ = encoder.encode(batch, values, carries(values, fields))
    alone = [
        encoder.encode(
            Batch(batch.take(np.array([i])).columns, np.array([0])),
            [value],
            carries([value], fields),
        )[0][0]
        for i, value in enumerate(values)
    ]
    assert together == alone


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"{}", b'{"s":1}'),
        (b" { } ", b'{"s":1}'),
        (b"{\n\t}\r\n", b'{"s":1}'),
        (b'{"a":1}', b'{"a":1,"s":1}'),
        (b'{"a":1}\n', b'{"a":1,"s":1}'),
        (b' {"a" : 1 } ', b' {"a" : 1 ,"s":1}'),
        (b'{"a":"}"}', b'{"a":"}","s":1}'),
        (b'{"a":{"s":5}}', b'{"a":{"s":5},"s":1}'),
        (b'{"s":5}', b'{"s":1}'),
        (b'{"s":5,"a":1,"s":6}', b'{"a":1,"s":1}'),
        (b'{"\\u0073":5,"a":1}', b'{"a":1,"s":1}'),
        (b'{"a":1.50,"s":5,"b":[1, 2]}', b'{"a":1.50,"b":[1, 2],"s":1}'),
        (b'{"S":5}', b'{"S":5,"s":1}'),
        (b'{":":5}', b'{":":5,"s":1}'),
    ],
)
def test_how_a_field_is_spliced(value: bytes, expected: bytes) -> None:
    """White space, empty objects and fields that are already there, byte for byte."""
    assert one(Column.of([1], DType.INT64), value) == expected


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_float32_comes_back_exactly(number: float) -> None:
    """A reader that parses doubles gets the model's number, bit for bit."""
    column = Column(np.array([number], dtype=np.float32))
    (found,) = np.array([json.loads(one(column))["s"]]).astype(np.float32)
    assert found.tobytes() == column.values.tobytes()
    assert json.loads(one(column))["s"] == number


@pytest.mark.parametrize("dtype", [DType.TEXT, DType.INT64, DType.BOOL, DType.DATETIME])
def test_a_missing_value_is_null(dtype: DType) -> None:
    """Text, int64, bool and datetime have a null."""
    assert one(Column.of([None], dtype)) == b'{"a":1,"s":null}'


def test_a_datetime_is_iso_8601_in_utc() -> None:
    """Milliseconds and Z, whatever the date."""
    column = Column(np.array(["2024-02-29T23:59:59.007"], dtype="datetime64[ms]"))
    assert one(column, merge=False) == b'{"s":"2024-02-29T23:59:59.007Z"}'


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("merge", [True, False])
def test_a_number_that_is_not_finite_is_a_fault(dtype: Any, bad: float, merge: bool) -> None:
    """NaN and infinity are no null and no word: their rows are rejected, the others stay."""
    columns = {
        "s": Column(np.array([1, bad, 3, 4], dtype=dtype)),
        "v": Column(np.array([[1, 1], [1, 1], [bad, 1], [1, 1]], dtype=dtype)),
    }
    batch = Batch(columns, np.array([0, 2, 3, 5]))
    values = [b'{"a":1}', b'{"a":2}', b'{"a":3}', b'{"a":4}']
    found, faults = Encoder(["s", "v"], merge=merge).encode(batch, values, frozenset())
    assert [(fault.row, fault.stage, fault.error) for fault in faults] == [
        (2, Stage.ENCODE, "NotFinite"),
        (3, Stage.ENCODE, "NotFinite"),
    ]
    assert ["'s'" in faults[0].message, "'v'" in faults[1].message] == [True, True]
    head = [b'"a":1,', b'"a":4,'] if merge else [b"", b""]
    assert [found[0], found[3]] == [
        b"{" + head[0] + b'"s":1.0,"v":[1.0,1.0]}',
        b"{" + head[1] + b'"s":4.0,"v":[1.0,1.0]}',
    ]


def test_only_the_rows_that_carry_are_rewritten() -> None:
    """Carries are positions among the records, not among the live rows."""
    batch = Batch({"s": Column.of([1, 2], DType.INT64)}, np.array([1, 3]))
    values = [b'{"a": 1.0}', b'{"a": 3.0, "s": 9}']
    found, _ = Encoder(["s"], merge=True).encode(batch, values, frozenset({3}))
    assert found == [b'{"a": 1.0,"s":1}', b'{"a":3.0,"s":2}']


def test_without_fields_events_pass_through() -> None:
    """A graph that only filters or routes publishes the original bytes."""
    values = [b' {"a": 1} ', b"{}"]
    batch = Batch.of({}, 2)
    assert Encoder([], merge=True).encode(batch, values, frozenset())[0] == values
    assert Encoder([], merge=False).encode(batch, values, frozenset())[0] == [b"{}", b"{}"]


@pytest.mark.parametrize("merge", [True, False])
def test_no_live_row(merge: bool) -> None:
    """Nothing in, nothing out."""
    column = Column(np.empty(0, dtype=np.float64))
    batch = Batch({"s": column}, np.zeros(0, dtype=np.int64))
    assert Encoder(["s"], merge=merge).encode(batch, [], frozenset()) == ([], [])
    assert column.type == ColumnType(DType.FLOAT64)


def test_outcomes_are_walked_in_the_order_of_the_records() -> None:
    """Each position gives its Scored, Drop or Fault."""
    drop = Drop(1, "tombstone")
    fault = Fault(2, Stage.DECODE, "MalformedJson", "no JSON")
    outcomes = Outcomes([b"a", None, None, b"d"], [fault], [drop], ["t", None, None, None])
    assert len(outcomes) == 4
    assert list(outcomes) == [Scored(b"a", "t"), drop, fault, Scored(b"d")]
