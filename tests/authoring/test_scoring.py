"""score_edge: what is sent, and what an answer that is none becomes; extras and loops."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pandas as pd
import pytest
from aiohttp import web

from tests.net import free_ports
from worker.authoring.coroutines import run
from worker.authoring.extras import need
from worker.authoring.scoring import as_body, post
from worker.errors import ConfigError, TransportError
from worker.schema import parse
from worker.web.body import COLUMNS
from worker.web.events import split_columns

EVENTS = "application/json"


@pytest.mark.parametrize(
    ("data", "kind", "sent"),
    [
        ({"age": {0: 31, 1: None}}, COLUMNS, {"age": {"0": 31, "1": None}}),
        (json.dumps({"age": {"0": 31}}), COLUMNS, {"age": {"0": 31}}),
        (pd.DataFrame({"age": [1.5, None]}, index=[7, 7]), COLUMNS, {"age": {"0": 1.5, "1": None}}),
        ([{"age": 31}, {}], EVENTS, [{"age": 31}, {}]),
        ({"age": 31}, EVENTS, {"age": 31}),
        ({"_tenant": {"age": 31}, "id": "a"}, EVENTS, {"_tenant": {"age": 31}, "id": "a"}),
        ({}, EVENTS, {}),
        ({"a": {0: 1, 1: 2}, "b": {1: "x"}}, COLUMNS, {"a": {"0": 1, "1": 2}, "b": {"1": "x"}}),
        ({"a": {"x": 1}, "b": {"y": 2}}, EVENTS, {"a": {"x": 1}, "b": {"y": 2}}),
        ({"_t": {"age": 31, "sex": "f"}}, EVENTS, {"_t": {"age": 31, "sex": "f"}}),
        ({"a": {"x": 1}, "b": {"x": 2}}, EVENTS, {"a": {"x": 1}, "b": {"x": 2}}),
        ({"a": {}}, EVENTS, {"a": {}}),
        (pd.DataFrame({"a": []}), COLUMNS, {"a": {}}),
        ({"age": {"3": 1, "7": 2}}, COLUMNS, {"age": {"3": 1, "7": 2}}),
        (pd.DataFrame({"a": [pd.NaT]}), COLUMNS, {"a": {"0": None}}),
        (pd.DataFrame({"a": pd.array([pd.NA], "Int64")}), COLUMNS, {"a": {"0": None}}),
        (
            pd.DataFrame({"a": pd.to_datetime(["2024-03-01T10:15:00.5"])}),
            COLUMNS,
            {"a": {"0": "2024-03-01T10:15:00.500000Z"}},
        ),
        (
            [{"_tenant.age": 31, "_tenant": {"sex": "f"}}, {}],
            COLUMNS,
            {"_tenant.age": {"0": 31, "1": None}, "_tenant.sex": {"0": "f"}},
        ),
    ],
)
def test_what_is_sent(data: Any, kind: str, sent: Any) -> None:
    """Columns are told from events by their shape; what is missing becomes null."""
    body = as_body(data)
    assert (body.kind, json.loads(body.content)) == (kind, sent)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("{", "scoring_data: is no JSON"),
        ("3", "scoring_data: must be columns"),
        ([{"f": print}], r"scoring_data\[0\].f: a function"),
        ([{"f": float("inf")}], r"scoring_data\[0\].f: inf is no number that JSON can hold"),
        ([{"a.b": 1}, 3], r"scoring_data\[1\]: is no event"),
        ([{"a.b": 1, "a": {"b": 2}}], "scoring_data: has an event with two values of 'a.b'"),
        ([{"f": object()}], r"scoring_data\[0\].f: object is nothing that JSON can hold"),
    ],
)
def test_what_cannot_be_sent(data: Any, told: str) -> None:
    """It is refused before a worker is asked."""
    with pytest.raises(ConfigError, match=told):
        as_body(data)


FIELDS = {
    "brand": {"type": "string"},
    "user": {"type": "object", "properties": {"age": {"type": "number"}}},
}
TENANT = {"_tenant": {"type": "object", "properties": FIELDS}, "a.b": {"type": "number"}}


@pytest.mark.parametrize(
    "event",
    [
        {"_tenant.brand": "vw", "_tenant.user.age": 31, "a.b": 1},
        {"_tenant.brand": "vw", "_tenant": {"user": {"age": 31}}, "a.b": 1},
        {"_tenant.user": {"age": 31}, "_tenant.brand": "vw", "/a.b": 1},
    ],
)
def test_dotted_names_are_paths_for_the_worker(event: dict[str, Any]) -> None:
    """What is sent for flat events becomes the nested events that the schema declares."""
    body = as_body(event)
    schema = parse({"type": "object", "properties": TENANT})
    (made,) = split_columns(body.content, schema, 10)
    nested = {"_tenant": {"brand": "vw", "user": {"age": 31}}, "a.b": 1}
    assert (body.one, json.loads(made)) == (True, nested)


def test_one_dotted_event_has_one_answer() -> None:
    """As a nested one has, though it is sent as columns."""

    async def ask() -> Any:
        async with worker(200, '[{"status": "scored"}]', []) as address:
            return await post(address, "s", as_body({"a.b": 1}), None)

    assert asyncio.run(ask()) == {"status": "scored"}


@asynccontextmanager
async def worker(status: int, text: str, seen: list[web.Request]) -> AsyncIterator[str]:
    """An HTTP server that answers everything alike."""

    async def answer(request: web.Request) -> web.Response:
        seen.append(request)
        return web.Response(status=status, text=text)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    (port,) = free_ports(1)
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("tail", ["", "/", "/services/s/score"])
def test_where_it_is_sent(tail: str) -> None:
    """The scoring URL, or a worker's address; the token goes along."""

    async def go() -> list[web.Request]:
        seen: list[web.Request] = []
        async with worker(200, "[]", seen) as base:
            assert await post(base + tail, "s", as_body([]), "secret") == []
        return seen

    (request,) = run(go)
    assert request.path == "/services/s/score"
    assert request.headers["Authorization"] == "Bearer secret"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"error": "no service", "hint": "GET /services"}', "HTTP 404: no service; GET /services"),
        ("gone", "HTTP 404: gone"),
    ],
)
def test_a_refusal_is_told(text: str, told: str) -> None:
    """The worker's own words, with its status."""

    async def go() -> None:
        async with worker(404, text, []) as base:
            await post(base, "s", as_body([]), None)

    with pytest.raises(ConfigError, match=told):
        run(go)


def test_nobody_listens() -> None:
    """A worker that cannot be reached is a failure of transport that may pass."""
    (port,) = free_ports(1)
    with pytest.raises(TransportError, match="cannot reach http") as caught:
        run(lambda: post(f"http://127.0.0.1:{port}", "s", as_body([]), None))
    assert caught.value.retriable


def test_a_loop_that_runs_is_no_obstacle() -> None:
    """As in a notebook: a call from inside a running loop gives its result."""

    async def one() -> int:
        return 1

    async def notebook() -> int:
        return run(one)

    assert asyncio.run(notebook()) == 1


def test_a_package_that_is_missing() -> None:
    """The message names the package and the extra that brings it."""
    with pytest.raises(ConfigError, match=r"needs the package nowhere: pip install 'rtml-worker\["):
        need("nowhere.at_all")


@pytest.mark.parametrize(
    ("edge_location", "told"),
    [
        ("http://127.0.0.1:1/services/other/score", "is of the service 'other', not of 'mine'"),
        ("edge", "'edge' is no URL; give what publish_to_edge returned"),
    ],
)
def test_another_place_is_refused(edge_location: str, told: str) -> None:
    """The URL of another service would score by another graph; a location's name is no URL."""
    with pytest.raises(ConfigError, match=told):
        asyncio.run(post(edge_location, "mine", as_body({"age": 31}), None))
