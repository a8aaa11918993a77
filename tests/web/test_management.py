"""Services over HTTP at a location without another worker: what is written, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.graph.support import graph, node, planned
from tests.services.support import Memory, published
from tests.web.support import COPY, Client, Shelf, served, serving
from worker.models.store.store import Store
from worker.services.journal import Journal

NAME = "/services/fraud"


@dataclass
class Here:
    """A location whose journal lies in memory."""

    store: Store
    name: str = "edge"
    journal: Journal | None = field(default_factory=Memory)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A worker at a location where nothing is published."""
    here = Here(Store(str(tmp_path / "store"), tmp_path / "cache"))
    with serving(Shelf(), place=here) as asked:
        yield asked


def body(factor: int) -> bytes:
    """A graph as a program sends it."""
    return json.dumps(published(factor)[0].model_dump(mode="json", by_alias=True)).encode()


def told(client: Client, method: str, path: str, sent: bytes | None = None) -> tuple[Any, ...]:
    """Status, and of the service its version and what is wanted of it."""
    answer = client.ask(method, path, sent)
    return answer.status, answer.json.get("version"), answer.json.get("wanted")


def test_a_service_lives(client: Client) -> None:
    """Each route does its part: 202, for no worker is there that could say that it is done."""
    assert told(client, "POST", "/services?id=fraud", body(2)) == (202, 1, "running")
    assert told(client, "PUT", NAME, body(3)) == (202, 2, "running")
    assert told(client, "POST", f"{NAME}/rollback") == (202, 1, "running")
    assert told(client, "POST", f"{NAME}/rollback", b'{"version": 2}') == (202, 2, "running")
    assert told(client, "POST", f"{NAME}/pause") == (202, 2, "paused")
    assert told(client, "GET", NAME) == (200, 2, "paused")
    assert [one["version"] for one in client.ask("GET", NAME).json["versions"]] == [1, 2]
    assert told(client, "POST", f"{NAME}/resume") == (202, 2, "running")
    assert client.ask("DELETE", NAME).status == 200  # nobody has to let go of it
    assert client.ask("GET", NAME).status == 404


def test_what_is_published_is_listed(client: Client) -> None:
    """Also what no worker serves, paused or not, with records that nobody can read; by location."""
    client.ask("POST", "/services?id=fraud", body(2))
    client.ask("POST", "/services?id=offer&location=hub", body(2))
    client.ask("POST", f"{NAME}/pause")
    assert client.ask("GET", "/services").json == {"services": []}
    listed = client.ask("GET", "/locations/edge/services").json
    (mine,) = listed["services"]
    assert {name: mine[name] for name in ("id", "type", "location", "wanted", "versions")} == {
        "id": "fraud",
        "type": "edge",
        "location": "edge",
        "wanted": "paused",
        "versions": [1],
    }
    assert (len(mine["digest"]), mine["deprecated"], listed["unreadable"]) == (64, False, {})
    (other,) = client.ask("GET", "/locations/hub/services").json["services"]
    assert (other["id"], other["type"]) == ("offer", "hub")
    assert client.ask("GET", "/locations/paris/services").json["services"] == []


def test_answers_are_what_the_document_says(client: Client) -> None:
    """Each of them fits the schema that OpenAPI has for its route and status."""
    one = "/services/{id}"
    document = client.ask("GET", "/openapi.json").json
    for method, route, path, sent in (
        ("POST", "/services", "/services?id=fraud", body(2)),
        ("PUT", one, NAME, body(3)),
        ("GET", one, NAME, None),
        ("GET", "/locations/{location}/services", "/locations/edge/services", None),
        ("POST", f"{one}/rollback", f"{NAME}/rollback", None),
        ("POST", f"{one}/pause", f"{NAME}/pause", None),
        ("POST", f"{one}/resume", f"{NAME}/resume", None),
        ("DELETE", one, NAME, None),
        ("GET", one, NAME, None),
    ):
        found = client.ask(method, path, sent)
        operation = document["paths"][route][method.lower()]
        told = operation["responses"][str(found.status)]["content"]["application/json"]["schema"]
        jsonschema.validate(found.json, {"components": document["components"], **told})
    queries = [one["name"] for one in document["paths"]["/services"]["post"]["parameters"]]
    assert queries == ["id", "location"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/services/fruad"),
        ("PUT", "/services/fruad"),
        ("DELETE", "/services/fruad"),
        ("POST", "/services/fruad/rollback"),
        ("POST", "/services/fruad/pause"),
        ("POST", "/services/fruad/resume"),
    ],
)
def test_an_unknown_service(client: Client, method: str, path: str) -> None:
    """404 with the nearest id."""
    client.ask("POST", "/services?id=fraud", body(2))
    found = client.ask(method, path, body(3) if method == "PUT" else None)
    assert (found.status, "did you mean 'fraud'" in found.json["error"]) == (404, True)


def test_an_id_that_is_taken(client: Client) -> None:
    """409, and the service is as it was."""
    client.ask("POST", "/services?id=fraud", body(2))
    assert client.ask("POST", "/services?id=fraud", body(3)).status == 409
    assert told(client, "GET", NAME) == (200, 1, "running")


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"{", "the body is not JSON"),
        (b'{"name": "\xff"}', "not valid UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"3", ""),
        (json.dumps(graph(node("x", "Copi"))).encode(), "did you mean 'Copy'"),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", "/services"), ("PUT", NAME)])
def test_no_graph(client: Client, method: str, path: str, sent: bytes, words: str) -> None:
    """400 with what is wrong, whether it is no JSON, no UTF-8, or no graph."""
    client.ask("POST", "/services?id=fraud", body(2))
    found = client.ask(method, path, sent)
    assert (found.status, words in found.json["error"]) == (400, True)


@pytest.mark.parametrize(
    "sent", [b"{", b'{"version": "\xff"}', b'{"version": "1"}', b"[" * 100_000]
)
def test_no_version(client: Client, sent: bytes) -> None:
    """A malformed body of a rollback is refused, and the version stays."""
    client.ask("POST", "/services?id=fraud", body(2))
    found = client.ask("POST", f"{NAME}/rollback", sent)
    assert (found.status, '{"version": 1}' in found.json["hint"]) == (400, True)
    assert told(client, "GET", NAME) == (200, 1, "running")


def test_without_a_location() -> None:
    """A worker of graphs that were given at its start says so; one that is not ready, too."""
    with serving(Shelf()) as client:
        assert client.ask("POST", "/services", body(2)).status == 409


def test_a_graph_of_the_start_is_resumed() -> None:
    """Its circuit breaker is closed, found by id or name; 404 with the nearest for another."""
    shelf = Shelf.of(served(planned(graph(COPY)), id="first"))
    with serving(shelf) as client:
        for name in ("first", "g"):
            done = client.ask("POST", f"/services/{name}/resume")
            assert (done.status, done.json["id"], done.json["state"]) == (200, "first", "serving")
        assert shelf.resumed == ["first", "first"]
        assert client.ask("POST", "/services/frist/resume").status == 404
        assert client.ask("POST", "/services/first/pause").status == 409


def test_before_the_registry_is_read(tmp_path: Path) -> None:
    """503: the client is to come again."""
    here = Here(Store(str(tmp_path), tmp_path), journal=None)
    with serving(Shelf(), place=here) as client:
        assert client.ask("POST", "/services", body(2)).status == 503
