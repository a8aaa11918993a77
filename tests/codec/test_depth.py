"""Depth: what is nested too deeply is told by itself, as exactly as the limit is set."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker import bounds
from worker.bounds import Bounds
from worker.codec.decode import Decoder
from worker.codec.depth import is_deeper
from worker.schema import parse

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('\\"{}[]é'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('\\"{}[]é'), inner),
    max_leaves=30,
)


@pytest.fixture
def _shallow() -> Iterator[None]:
    """Ten levels."""
    bounds.use(Bounds(max_json_depth=10))
    yield
    bounds.use(Bounds())


def depth(data: Any) -> int:
    """Objects and arrays inside each other."""
    if isinstance(data, dict | list):
        inner = data.values() if isinstance(data, dict) else data
        return 1 + max(map(depth, inner), default=0)
    return 0


@given(JSON, st.booleans())
def test_the_depth_is_that_of_the_data(data: Any, plain: bool) -> None:
    """Brackets in text do not count, escaped quotes do not end it."""
    value = json.dumps(data, ensure_ascii=plain).encode()
    deep = depth(data)
    assert is_deeper(value, deep) is False
    if deep:
        assert is_deeper(value, deep - 1) is True


@pytest.mark.usefixtures("_shallow")
@pytest.mark.parametrize("pad", ["", "x" * 1_000, "[" * 1_000])
@pytest.mark.parametrize(("levels", "error"), [(9, None), (10, None), (11, "TooDeep")])
def test_at_the_limit(levels: int, error: str | None, pad: str) -> None:
    """Alone and among others, in fields that are not declared; the neighbours are read."""
    inner = levels - 1
    event = b'{"a": 1, "pad": "%s", "other": %s}' % (pad.encode(), b"[" * inner + b"]" * inner)
    schema = parse({"type": "object", "properties": {"a": {"type": "number"}}})
    decoder = Decoder(schema, schema.columns, [])
    for values, row in (([event], 0), ([b'{"a": 2}', event, b'{"a": 3}'], 1)):
        decoded = decoder.decode(values)
        assert [(fault.row, fault.error) for fault in decoded.faults] == [(row, error)][
            : bool(error)
        ]
        assert len(decoded.batch) == len(values) - bool(error)


@pytest.mark.parametrize(("length", "error"), [(9, None), (10, None), (11, "SchemaMismatch")])
@pytest.mark.parametrize("own", [{}, {"maxLength": 50}])
def test_a_text_at_the_limit(length: int, error: str | None, own: dict[str, int]) -> None:
    """Of characters, not bytes; a schema cannot allow more."""
    bounds.use(Bounds(max_text_length=10))
    try:
        schema = parse({"type": "object", "properties": {"a": {"type": "string", **own}}})
        decoder = Decoder(schema, schema.columns, [])
    finally:
        bounds.use(Bounds())
    decoded = decoder.decode([json.dumps({"a": "é" * length}).encode()])
    assert [fault.error for fault in decoded.faults] == [error][: bool(error)]
    assert not error or "length <= 10" in decoded.faults[0].message
