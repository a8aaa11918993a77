"""Graphs and events made to break the worker: refusals and outcomes, never another exception."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.batch import ColumnType, DType
from worker.errors import ConfigError
from worker.graph.plan import Plan, plan
from worker.graph.spec import parse
from worker.nodes.registry import kinds
from worker.score import score

HUGE = 10**400
ODD: list[Any] = [
    *(None, True, False, 0, -1, 2**31, 2**53 + 1, 2**63, 2**64, HUGE, -HUGE, 1e308, -0.0),
    *(float("nan"), float("inf"), "", "0", "\x00", "é", "a" * 5_000, "%", "{}", "(", "\\", "1e999"),
    *("2020-13-45", "../../etc/passwd", "__class__", "a.b.c", [], {}, [[]], [None], [1, 2]),
    *(["a"], {"a": 1}, {"": ""}, [[1, 2], [3]], "\ud800", "\U0001f600"),
]
FIELDS = {
    DType.FLOAT32: {"type": "number"},
    DType.FLOAT64: {"type": "number"},
    DType.INT64: {"type": "integer"},
    DType.BOOL: {"type": "boolean"},
    DType.TEXT: {"type": "string"},
    DType.DATETIME: {"type": "string", "format": "date-time"},
}
# An ONNXNode's example names a model that lies beside no graph.
KINDS = sorted(kinds().keys() - {"ONNXNode"})
EVENTS = 4


def places(data: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of everything in params, themselves included."""
    yield here
    if isinstance(data, dict | list):
        items = data.items() if isinstance(data, dict) else enumerate(data)
        for key, value in items:
            yield from places(value, (*here, key))


def replaced(data: Any, place: tuple[Any, ...], value: Any) -> Any:
    """A copy with another value at a place."""
    if not place:
        return value
    made = copy.deepcopy(data)
    parent = made
    for key in place[:-1]:
        parent = parent[key]
    parent[place[-1]] = value
    return made


def field(of: ColumnType) -> dict[str, Any]:
    """The JSON Schema of an event field that gives such a column."""
    item = FIELDS[of.dtype]
    if of.length is None:
        return item
    return {"type": "array", "items": item, "minItems": of.length, "maxItems": of.length}


def planned(kind: str, params: Any) -> Plan:
    """The plan of one node on the fields of its EXAMPLE."""
    fields = {name: field(of) for name, of in kinds()[kind].EXAMPLE.types.items()}
    graph = {
        "name": "hostile",
        "source": {"topic": "in", "schema": {"type": "object", "properties": fields}},
        "nodes": [{"id": "node", "type": kind, "params": params}],
        "sink": {"topic": "out"},
    }
    return plan(parse(graph), None)


@pytest.mark.parametrize("number", [HUGE, -HUGE, 2**64])
def test_a_number_of_any_size_is_refused_or_taken(number: int) -> None:
    """At every place of every kind: it never ends the loading with another exception."""
    for kind in KINDS:
        params = json.loads(json.dumps(dict(kinds()[kind].EXAMPLE.params)))
        for place in places(params):
            with contextlib.suppress(ConfigError):
                planned(kind, replaced(params, place, number))


@st.composite
def hostile_params(draw: st.DrawFn) -> tuple[str, Any]:
    """A node kind, and its EXAMPLE's params with up to two odd values in them."""
    kind = draw(st.sampled_from(KINDS))
    params = json.loads(json.dumps(dict(kinds()[kind].EXAMPLE.params)))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.sampled_from(list(places(params))))
        params = replaced(params, place, draw(st.sampled_from(ODD)))
    return kind, params


@st.composite
def hostile_events(draw: st.DrawFn, kind: str) -> list[bytes]:
    """Events whose fields are the EXAMPLE's, odd, or not there."""
    given_values = kinds()[kind].EXAMPLE.given
    events = []
    for _ in range(EVENTS):
        event = {
            name: draw(st.sampled_from([*given_values.get(name, []), *ODD]))
            for name in kinds()[kind].EXAMPLE.types
            if draw(st.booleans())
        }
        events.append(json.dumps(event).encode())
    return events


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("Label", {"column": "probabilities", "labels": ["\ud800", "dog"], "into": "animal"}),
        ("Processor", {"kind": "\ud800", "params": {}}),
        ("OneHotEncoder", {"columns": {"gender": ["\ud800", "male"]}}),
    ],
)
def test_what_was_found_is_refused(kind: str, params: dict[str, Any]) -> None:
    """Half of a surrogate pair, which JSON escapes give, made the encoder raise."""
    with pytest.raises(ConfigError, match="half of a surrogate pair"):
        planned(kind, params)


@settings(max_examples=300)
@given(hostile_params(), st.data())
def test_a_graph_is_refused_or_scores_every_event(
    chosen: tuple[str, Any], data: st.DataObject
) -> None:
    """No node breaks, an event's outcome is its own, and what comes out is strict JSON."""
    kind, params = chosen
    try:
        hostile = planned(kind, params)
    except ConfigError:
        return
    events = data.draw(hostile_events(kind))
    outcomes = score(hostile, events)
    assert len(outcomes) == EVENTS
    assert [fault.error for fault in outcomes.faults if fault.error == "NodeError"] == []
    alone = [score(hostile, [event]).values[0] for event in events]
    assert list(outcomes.values) == alone
    for value in filter(None, alone):
        json.loads(value, parse_constant=pytest.fail)
