"""Scoring over HTTP: the stream's bytes, an outcome per event, and services that come and go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.codec.strategies import VALUES
from tests.graph.support import graph, node, planned
from tests.web.support import (
    COPY,
    EXAMPLES,
    Client,
    Shelf,
    example,
    example_events,
    served,
    serving,
)
from worker.codec.outcome import Drop, Scored
from worker.graph.plan import Plan
from worker.score import score
from worker.web.body import COLUMNS

LOW = node("low", "Filter", column="a", op="ge", value=0, reason="low")
RANGE = node("range", "Validate", rules={"b": {"max": 5}})
MIXED = planned(graph(COPY, LOW, RANGE))
ONLY = planned(graph(COPY, name="only", sink={"topic": "out", "into": "only"}))
ROUTED = planned(
    graph(COPY, node("way", "Route", column="t", topics={"x": "aside"}), name="routed")
)


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    """The examples, and a few small graphs."""
    plans = [*map(example, EXAMPLES), MIXED, ONLY, ROUTED]
    return Shelf.of(*map(served, plans), served(MIXED, id="g-1"))


@pytest.fixture(scope="module")
def client(shelf: Shelf) -> Iterator[Client]:
    """A server for them all."""
    with serving(shelf) as asked:
        yield asked


def spliced(plan: Plan, values: list[bytes]) -> list[bytes]:
    """What the answer must hold for each event, made from the stream's own outcomes."""
    texts = []
    for outcome in score(plan, values):
        if isinstance(outcome, Scored):
            texts.append(b'{"status":"scored","event":' + outcome.value + b"}")
        elif isinstance(outcome, Drop):
            told = {"status": "dropped", "reason": outcome.reason, "node": outcome.node}
            texts.append(msgspec.json.encode(told))
        else:
            told = {"status": "rejected", "node": outcome.node, "stage": outcome.stage}
            told |= {"error": outcome.error, "message": outcome.message}
            texts.append(msgspec.json.encode(told))
    return texts


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_list_gives_the_bytes_of_the_stream(client: Client, name: str) -> None:
    """Whatever the white space between them, each event's answer holds the stream's very bytes."""
    values = example_events(name)
    found = client.score(name, b" [\n" + b" ,\n".join(values) + b"\n] ")
    assert found.body == b"[" + b",".join(spliced(example(name), values)) + b"]"
    assert json.loads(found.body)[0]["status"] == "scored"


@pytest.mark.parametrize("name", EXAMPLES)
def test_one_event_gives_the_bytes_of_the_stream(client: Client, name: str) -> None:
    """An object for an object."""
    (value,) = example_events(name, 1)
    found = client.score(name, b" " + value + b"\n")
    assert (found.status, found.body) == (200, spliced(example(name), [value])[0])


def test_more_events_than_are_scored_at_a_time(client: Client) -> None:
    """Long lists are scored in parts; nobody sees where they are cut."""
    values = [b'{"a": %d, "b": %d}' % (i % 7 - 1, i % 8) for i in range(3_000)]
    found = client.score("g", b"[" + b",".join(values) + b"]")
    assert found.body == b"[" + b",".join(spliced(MIXED, values)) + b"]"


def test_each_event_has_its_own_outcome(client: Client) -> None:
    """Scored, dropped with the reason, rejected with node, stage, error and message."""
    events = b'[{"a": 1, "x": 1.10}, {"a": -1}, {"a": 1, "b": 9}, {"a": "one"}, 3, null, []]'
    found = client.score("g", events)
    scored, dropped, rejected, *unread = found.json
    assert scored == {"status": "scored", "event": {"a": 1, "x": 1.1, "c": 1.0}}
    assert b'"x": 1.10,' in found.body
    assert dropped == {"status": "dropped", "reason": "low", "node": "low"}
    message = rejected.pop("message")
    assert rejected == {
        "status": "rejected", "node": "range", "stage": "validate", "error": "RangeError",
    }  # fmt: skip
    assert "'b'" in message
    assert [(one["node"], one["stage"]) for one in unread] == [(None, "decode")] * 4


def test_only_the_fields(client: Client) -> None:
    """Where the sink writes only its fields, so does the answer, under another key."""
    found = client.score("only", b'{"a": 2, "b": 3}')
    assert found.json == {"status": "scored", "fields": {"c": 2.0}}


def test_a_topic_that_was_chosen_is_told(client: Client) -> None:
    """Behind a Route, an event that goes elsewhere says where."""
    found = client.score("routed", b'[{"a": 1, "t": "x"}, {"a": 1, "t": "y"}]')
    assert [one.get("topic") for one in found.json] == ["aside", None]


def test_no_events_give_no_outcomes(client: Client) -> None:
    """An empty list for an empty list."""
    found = client.score("g", b"[]")
    assert (found.status, found.json) == (200, [])


def test_the_answer_says_what_scored(client: Client) -> None:
    """The lineage headers of a scored record: the service by its id, whatever its graph's name."""
    headers = client.score("g-1", b"{}").headers
    assert headers["rtml-service"] == "g-1"
    assert headers["rtml-graph"] == MIXED.digest[:12]


def test_columns_are_the_same_events(client: Client) -> None:
    """Column-oriented data gives what the events give; labels that a column lacks are missing."""
    columns = b'{"a": {"0": 1.50, "7": -1, "x": 3}, "b": {"0": 2, "x": 9}}'
    events = b'[{"a":1.50,"b":2},{"a":-1},{"a":3,"b":9}]'
    found = client.score("g", columns, f"{COLUMNS}; charset=utf-8")
    assert found.body == client.score("g", events).body
    assert [one["status"] for one in found.json] == ["scored", "dropped", "rejected"]


def test_columns_below_the_top_go_to_their_place(client: Client) -> None:
    """A declared nested field is named by its column, and scores as the nested event does."""
    plan = example("car-insurance")
    event = json.loads(example_events("car-insurance", 1)[0])
    user = "_experienceplatform.userInfo"
    flat = {key: value for key, value in event.items() if key != "_experienceplatform"}
    flat["_experienceplatform.identification.ecid"] = event["_experienceplatform"][
        "identification"
    ]["ecid"]
    flat |= {f"{user}.{k}": v for k, v in event["_experienceplatform"]["userInfo"].items()}
    columns = json.dumps({name: {"0": value} for name, value in flat.items()}).encode()
    (found,) = client.score("car-insurance", columns, COLUMNS).json
    (direct,) = (json.loads(text) for text in spliced(plan, [json.dumps(event).encode()]))
    assert found == direct


def test_columns_that_overlap_are_refused() -> None:
    """A column and one inside it cannot both be right."""
    deep = {"type": "object", "properties": {"x": {"type": "number"}}}
    schema = {"type": "object", "properties": {"a": {"type": "number"}, "u": deep}}
    plan = planned(graph(COPY, source={"topic": "in", "schema": schema}))
    with serving(Shelf.of(served(plan))) as client:
        for body in (b'{"u": {"0": 3}, "u.x": {"0": 4}}', b'{"u.x": {"0": 4}, "u": {"0": 3}}'):
            found = client.score("g", body, COLUMNS)
            assert (found.status, "the same place" in found.json["error"]) == (400, True)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abnt"), VALUES, max_size=4), max_size=6))
def test_any_events_are_all_accounted_for(client: Client, events: list[dict[str, Any]]) -> None:
    """One outcome per event in their order, the stream's own, in JSON that any reader takes."""
    values = [json.dumps(event).encode() for event in events]
    found = client.score("g", b"[" + b",".join(values) + b"]")
    kinds = [text[: text.index(b",")] for text in spliced(MIXED, values)]
    assert [b'{"status":"%b"' % one["status"].encode() for one in found.json] == kinds


def test_an_unknown_id_is_not_found(client: Client) -> None:
    """404, with the nearest id."""
    found = client.score("car-insurence", b"{}")
    assert found.status == 404
    assert found.json["error"] == "no service 'car-insurence'; did you mean 'car-insurance'?"


def test_a_name_will_do_where_it_is_the_only_one() -> None:
    """A service is found by its id, else by its name; two of one name are told apart by ids."""
    one, other = served(MIXED, id="id-1"), served(MIXED, id="id-2")
    shelf = Shelf.of(one)
    with serving(shelf) as client:
        assert client.score("g", b'{"a": 1}').status == 200
        shelf.services["id-2"] = other
        found = client.score("g", b'{"a": 1}')
        assert (found.status, found.json["hint"]) == (404, "use an id: id-1, id-2")
        assert client.score("id-2", b'{"a": 1}').status == 200


def test_services_come_and_go() -> None:
    """What is served is asked anew by every request."""
    shelf = Shelf()
    with serving(shelf) as client:
        assert client.score("g", b"{}").status == 404
        shelf.services["g"] = served(MIXED)
        assert client.score("g", b'{"a": 1}').json["event"] == {"a": 1, "c": 1.0}
        shelf.services["g"] = served(ONLY, id="g", version=2)
        assert client.score("g", b'{"a": 1}').json["fields"] == {"c": 1.0}
        assert [one["version"] for one in client.ask("GET", "/services").json["services"]] == [2]
        shelf.services.clear()
        assert client.ask("GET", "/services").json == {"services": []}
        assert client.score("g", b"{}").status == 404


def test_what_is_served_is_described(client: Client) -> None:
    """Topics, fields, models with their digests, the graph's digest, the state."""
    services = {one["id"]: one for one in client.ask("GET", "/services").json["services"]}
    plan = example("digits")
    assert services["digits"] == {
        "id": "digits",
        "name": "digits",
        "description": plan.spec.description,
        "version": None,
        "state": "serving",
        "problem": "",
        "source": {"topic": "digit-images"},
        "sink": {"topics": ["digit-images-scored"], "into": "merge"},
        "dead_letter": {"topic": "digit-images-dlq"},
        "fields": {
            "digit": "int64",
            "name": "text",
            "confidence": "float32",
            "handling": "text",
            "probabilities": "float32[10]",
        },
        "models": [{"name": "model.onnx", "sha256": plan.models["model.onnx"]}],
        "graph": plan.digest,
    }
    assert services["routed"]["sink"]["topics"] == ["out", "aside"]
