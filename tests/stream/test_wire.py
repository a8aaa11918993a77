"""Messages are the bytes that aiokafka makes of them, and are read as it reads them."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from aiokafka.protocol import types
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.produce import ProduceRequest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.stream import wire

wire.install()
REQUESTS = (*FetchRequest._CLASSES, *ProduceRequest._CLASSES)
MESSAGES = [*REQUESTS, *(request.RESPONSE_TYPE for request in REQUESTS)]
BITS = {types.Int8: 8, types.Int16: 16, types.Int32: 32, types.Int64: 64}


def values(field: Any) -> st.SearchStrategy[Any]:
    """What a field may hold."""
    if isinstance(field, types.Schema):
        return st.tuples(*map(values, field.fields))
    if isinstance(field, types.Array):
        return st.none() | st.lists(values(field.array_of), max_size=3)
    if isinstance(field, types.String):
        return st.none() | st.text(max_size=5)
    if field is types.Bytes:
        return st.none() | st.binary(max_size=9)
    half = 2 ** (BITS[field] - 1)
    return st.integers(-half, half - 1)


def held(message: Any) -> tuple[Any, ...]:
    """What a message holds, in the order of its schema."""
    return tuple(getattr(message, name) for name in message.SCHEMA.names)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.__name__)
@settings(max_examples=20)
@given(data=st.data())
def test_it_is_what_aiokafka_makes_of_it(message: Any, data: st.DataObject) -> None:
    """Its schema, which is not changed, encodes and decodes as before."""
    item = data.draw(values(message.SCHEMA))
    encoded = message(*item).encode()
    assert encoded == message.SCHEMA.encode(item)
    for given_as in (encoded, BytesIO(encoded)):
        found = message.decode(given_as)
        assert type(found) is message
        assert held(found) == message.SCHEMA.decode(BytesIO(encoded))


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.__name__)
@settings(max_examples=20)
@given(data=st.data())
def test_one_that_was_cut_off_is_refused(message: Any, data: st.DataObject) -> None:
    """As by aiokafka: what is no message is a ValueError, and never fewer records."""
    encoded = message.SCHEMA.encode(data.draw(values(message.SCHEMA)))
    cut = data.draw(st.integers(0, len(encoded) - 1))
    with pytest.raises(ValueError, match=r"decod|underrun|convert"):
        message.decode(encoded[:cut])


@pytest.mark.parametrize(
    ("partition", "told"),
    [
        ((0, 12, 2**31), "FetchRequest_v4 cannot be encoded"),
        ((0, 12), "FetchRequest_v4 cannot be encoded"),
        ((0, 12, 1_000, 1), "FetchRequest_v4 cannot be encoded"),
        ((0,), "1 values for the 2"),
        ((0, b"batch", 1), "3 values for the 2"),
    ],
)
def test_what_cannot_be_encoded_is_refused(partition: tuple[Any, ...], told: str) -> None:
    """A number beyond its size; an item with a member too few or too many."""
    topics: Any = [("events", [partition])]
    if told.startswith("Fetch"):
        (request,) = (one for one in FetchRequest._CLASSES if one.API_VERSION == 4)
        message = request(-1, 500, 1, 1_000, 0, topics)
    else:
        (request,) = (one for one in ProduceRequest._CLASSES if one.API_VERSION == 7)
        message = request(None, -1, 30_000, topics)
    with pytest.raises(ValueError, match=told):
        message.encode()
