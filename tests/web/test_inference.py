"""The Open Inference Protocol: services as models, tensors in and out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.graph.support import FIELDS, graph, node, planned
from tests.web.support import COPY, Client, Shelf, example, example_events, served, serving
from worker import __version__
from worker.codec.outcome import Scored
from worker.score import score

ALL = ["a", "n", "t", "v", "when", "flag"]
WIDE = {
    "type": "object",
    "properties": {
        **FIELDS,
        "when": {"type": "string", "format": "date-time"},
        "flag": {"type": "boolean"},
        "u": {"type": "object", "properties": {"x": {"type": "number"}}},
    },
}
WIDE_PLAN = planned(
    graph(
        COPY,
        node("low", "Filter", column="c", op="ge", value=0, reason="low"),
        name="wide",
        source={"topic": "in", "schema": WIDE},
        sink={"topic": "out", "fields": [*ALL, "u.x"], "into": "only"},
    )
)
ROWS: dict[str, tuple[str, list[Any]]] = {
    "a": ("FP64", [1.5, 2]),
    "n": ("INT64", [7, -3]),
    "t": ("BYTES", ["x", "é"]),
    "v": ("FP32", [[1, 2.5, 3], [4, 5, 6]]),
    "when": ("BYTES", ["2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z"]),
    "flag": ("BOOL", [True, False]),
    "u.x": ("FP64", [0.25, 9]),
}


def tensor(name: str, **changes: Any) -> dict[str, Any]:
    """An input of `ROWS`."""
    datatype, data = ROWS[name]
    shape = [len(data), 3] if name == "v" else [len(data)]
    return {"name": name, "datatype": datatype, "shape": shape, "data": data} | changes


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A wide graph with a version, one that is not ready, and an example."""
    shelf = Shelf.of(
        served(WIDE_PLAN, version=3),
        served(WIDE_PLAN, id="waiting", name="waiting", state="waiting"),
        served(example("breast-cancer")),
    )
    with serving(shelf, reasons=["no Kafka"]) as asked:
        yield asked


def infer(client: Client, request: dict[str, Any], model: str = "wide") -> tuple[int, Any]:
    """Status and answer of an inference."""
    found = client.ask("POST", f"/v2/models/{model}/infer", json.dumps(request).encode())
    return found.status, found.json


def test_the_server_is_described(client: Client) -> None:
    """Name, version, no extension."""
    told = {"name": "rtml", "version": __version__, "extensions": []}
    assert client.ask("GET", "/v2").json == told


def test_health_is_that_of_the_worker(client: Client) -> None:
    """The status code is the answer."""
    assert client.ask("GET", "/v2/health/live").json == {"live": True}
    found = client.ask("GET", "/v2/health/ready")
    assert (found.status, found.json["ready"]) == (503, False)


def test_a_model_is_described_by_its_columns(client: Client) -> None:
    """Declared event fields are inputs, sink fields outputs, -1 the number of events."""
    found = client.ask("GET", "/v2/models/wide").json
    assert (found["name"], found["versions"], found["platform"]) == ("wide", ["3"], "rtml_graph")
    inputs = {one["name"]: (one["datatype"], one["shape"]) for one in found["inputs"]}
    assert inputs == {
        "a": ("FP64", [-1]),
        "b": ("FP64", [-1]),
        "n": ("INT64", [-1]),
        "t": ("BYTES", [-1]),
        "v": ("FP64", [-1, 3]),
        "when": ("BYTES", [-1]),
        "flag": ("BOOL", [-1]),
        "u.x": ("FP64", [-1]),
    }
    assert [one["name"] for one in found["outputs"]] == [*ALL, "u.x"]


def test_a_model_is_ready_when_it_serves(client: Client) -> None:
    """200 or 503."""
    ready, waiting = (client.ask("GET", f"/v2/models/{m}/ready") for m in ("wide", "waiting"))
    assert (ready.status, ready.json) == (200, {"name": "wide", "ready": True})
    assert (waiting.status, waiting.json) == (503, {"name": "waiting", "ready": False})


def test_versions_are_those_served(client: Client) -> None:
    """The one version answers under its own path, others are not found."""
    assert client.ask("GET", "/v2/models/wide/versions/3").status == 200
    assert client.ask("GET", "/v2/models/wide/versions/3/ready").status == 200
    found = client.ask("GET", "/v2/models/wide/versions/4")
    assert (found.status, found.json["error"]) == (
        404,
        "no version '4' is served; the version is 3",
    )


def test_every_datatype_goes_in_and_out(client: Client) -> None:
    """Values come back as they were sent, vectors row by row, the request's id with them."""
    status, found = infer(client, {"id": "42", "inputs": [tensor(name) for name in ROWS]})
    assert status == 200
    assert (found["model_name"], found["model_version"], found["id"]) == ("wide", "3", "42")
    outputs = {
        one["name"]: (one["datatype"], one["shape"], one["data"]) for one in found["outputs"]
    }
    assert outputs == {
        "a": ("FP64", [2], [1.5, 2.0]),
        "n": ("INT64", [2], [7, -3]),
        "t": ("BYTES", [2], ["x", "é"]),
        "v": ("FP64", [2, 3], [1.0, 2.5, 3.0, 4.0, 5.0, 6.0]),
        "when": ("BYTES", [2], ["2026-01-02T03:04:05.000Z", "2026-01-02T03:04:06.000Z"]),
        "flag": ("BOOL", [2], [True, False]),
        "u.x": ("FP64", [2], [0.25, 9.0]),
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"data": [1, 2.5, 3, 4, 5, 6]},
        {"datatype": "INT8", "data": [1, 2, 3, 4, 5, 6]},
    ],
    ids=["flat", "whole numbers"],
)
def test_data_may_be_flat(client: Client, changed: dict[str, Any]) -> None:
    """Nested or flat, row by row, of any type that the field takes."""
    status, _ = infer(client, {"inputs": [tensor("v", **changed), *map(tensor, "ant")]})
    assert status == 400  # u.x is missing, and a number cannot be written as NaN
    given = [tensor("v", **changed), *map(tensor, ["a", "n", "t", "when", "flag", "u.x"])]
    status, found = infer(client, {"inputs": given, "outputs": [{"name": "v"}]})
    assert (status, found["outputs"][0]["data"][-3:]) == (200, [4.0, 5.0, 6.0])


def test_a_column_may_have_an_axis_of_one(client: Client) -> None:
    """``[n, 1]`` as well as ``[n]``, nested or flat."""
    rest = [tensor(name) for name in ROWS if name != "a"]
    for data in ([1.5, 2], [[1.5], [2]]):
        column = tensor("a", shape=[2, 1], data=data)
        request = {"inputs": [column, *rest], "outputs": [{"name": "a"}]}
        assert infer(client, request)[1]["outputs"][0]["data"] == [1.5, 2.0]


def test_the_numbers_are_the_streams(client: Client) -> None:
    """The bytes of a real model's outputs, from thirty tensors of a hundred events."""
    plan = example("breast-cancer")
    values = example_events("breast-cancer", 100)
    events = [json.loads(value) for value in values]
    kinds = {"float64": "FP64", "int64": "INT64", "text": "BYTES"}
    inputs = [
        {
            "name": name,
            "datatype": kinds[str(kind)],
            "shape": [len(events)],
            "data": [event.get(name) for event in events],
        }
        for name, kind in plan.schema.columns.items()
    ]
    body = json.dumps({"inputs": inputs}).encode()
    found = client.ask("POST", "/v2/models/breast-cancer/infer", body)
    scored = [json.loads(o.value) for o in score(plan, values) if isinstance(o, Scored)]
    assert len(scored) == len(events)
    for output in found.json["outputs"]:
        assert output["data"] == [event[output["name"]] for event in scored]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({}, "missing required field `inputs`"),
        ({"inputs": []}, "one number from 1"),
        (
            {"inputs": [tensor("a") | {"name": "aa"}]},
            "input 'aa': no declared field; did you mean 'a'?",
        ),
        ({"inputs": [tensor("n", datatype="FP32")]}, "datatype FP32 for a field of int64"),
        ({"inputs": [tensor("a", datatype="BYTES")]}, "datatype BYTES for a field of float64"),
        ({"inputs": [tensor("a", shape=[2, 2])]}, "shape [2, 2], not [-1]"),
        ({"inputs": [tensor("v", shape=[2])]}, "shape [2], not [-1, 3]"),
        ({"inputs": [tensor("a", shape=[3])]}, "data for 2 events, shape [3]"),
        ({"inputs": [tensor("a", shape=[-1])]}, "one number from 1"),
        ({"inputs": [tensor("a", shape=[])]}, "one number from 1"),
        ({"inputs": [tensor("a", shape=[0], data=[])]}, "one number from 1"),
        ({"inputs": [tensor("v", data=[[1, 2, 3], 4])]}, "event 1 is rejected: SchemaMismatch"),
        ({"inputs": [tensor("v", data=[1, 2, 3, 4])]}, "event 1 is rejected: SchemaMismatch"),
        ({"inputs": [tensor("v", data=[1, 2])]}, "data for 1 events, shape [2, 3]"),
        ({"inputs": [tensor("a"), tensor("a")]}, "input 'a': given twice"),
        ({"inputs": [tensor("a"), tensor("n", shape=[1], data=[1])]}, "one number from 1"),
        ({"inputs": [{"name": "a", "datatype": "FP64", "shape": [2]}]}, "binary tensors"),
        ({"inputs": [tensor("a", data=["x", 1])]}, "event 0 is rejected: SchemaMismatch"),
        ({"inputs": [tensor("a", data=[-1, 1])]}, "event 0 at node 'low' is dropped: low"),
        ({"inputs": [tensor("a")], "outputs": [{"name": "tt"}]}, "no output 'tt'; did you mean"),
        ({"inputs": [tensor("a")], "id": 3}, "Expected `str | null`, got `int` - at `$.id`"),
    ],
)
def test_what_does_not_fit_is_told(client: Client, request_: dict[str, Any], words: str) -> None:
    """400 with the input, the event and the node, in the protocol's own form."""
    status, found = infer(client, request_)
    assert (status, words in found["error"]) == (400, True), found


def test_problems_are_told_together(client: Client) -> None:
    """Every input that does not fit."""
    given = [tensor("a") | {"name": "aa"}, tensor("n", datatype="FP32")]
    assert infer(client, {"inputs": given})[1]["error"].count("input '") == 2


def test_unknown_models_are_not_found(client: Client) -> None:
    """404 with the nearest, on every route."""
    for method, path in (("GET", ""), ("GET", "/ready"), ("POST", "/infer")):
        found = client.ask(method, f"/v2/models/wid{path}", b"{}" if method == "POST" else None)
        assert (found.status, "did you mean 'wide'?" in found.json["error"]) == (404, True)


def test_more_events_than_allowed(client: Client) -> None:
    """413, whether the data is there or only announced."""
    huge = tensor("a", shape=[10**18])
    assert infer(client, {"inputs": [huge]})[0] == 413


@settings(max_examples=60, deadline=None)
@given(
    st.fixed_dictionaries(
        {"inputs": st.lists(st.sampled_from([tensor(name) for name in ROWS]) | st.none())},
        optional={"outputs": st.lists(st.just({"name": "a"})) | st.integers(), "id": st.text()},
    )
)
def test_any_request_is_answered(client: Client, request_: dict[str, Any]) -> None:
    """200 with outputs, or 400 with an error; nothing breaks the server."""
    status, found = infer(client, request_)
    assert (status, set(found) & {"outputs", "error"}) in [(200, {"outputs"}), (400, {"error"})]
