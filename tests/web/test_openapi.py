"""The OpenAPI document: valid, complete, and true of what the server answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.graph.support import graph, planned
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
from worker.web.body import COLUMNS

ONLY = planned(graph(COPY, name="only", sink={"topic": "out", "into": "only"}))


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """The examples, and a service whose id needs quoting."""
    odd = served(ONLY, id="odd/id ü")
    with serving(Shelf.of(*map(served, map(example, EXAMPLES)), odd)) as asked:
        yield asked


@pytest.fixture(scope="module")
def document(client: Client) -> dict[str, Any]:
    """The document of that server."""
    found: dict[str, Any] = client.ask("GET", "/openapi.json").json
    return found


def schema_of(document: dict[str, Any], path: str, status: str) -> dict[str, Any]:
    """The schema of an answer, with the document's others beside it."""
    operation = next(iter(document["paths"][path].values()))
    schema = operation["responses"][status]["content"]["application/json"]["schema"]
    return {"components": document["components"], **schema}


def test_it_is_valid(document: dict[str, Any]) -> None:
    """OpenAPI 3.1, as its own specification has it."""
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    assert document["openapi"] == "3.1.0"


def test_it_has_every_route(client: Client, document: dict[str, Any]) -> None:
    """What the server answers to is what the document says, and each service's own path."""
    own = {f"/services/{name}/score" for name in EXAMPLES} | {"/services/odd%2Fid%20%C3%BC/score"}
    assert set(document["paths"]) == {route.path for route in client.web.routes} | own
    routes = {(route.path, route.method.lower()) for route in client.web.routes}
    told = {(path, method) for path, item in document["paths"].items() for method in item}
    assert told == routes | {(path, "post") for path in own}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/health/live"),
        ("GET", "/health/ready"),
        ("GET", "/services"),
        ("GET", "/v2"),
        ("GET", "/v2/models/{name}"),
        ("GET", "/v2/models/{name}/ready"),
        ("GET", "/openapi.json"),
    ],
)
def test_answers_are_what_it_says(
    client: Client, document: dict[str, Any], method: str, path: str
) -> None:
    """Each answer fits its schema."""
    found = client.ask(method, path.replace("{name}", "digits"))
    jsonschema.validate(found.json, schema_of(document, path, str(found.status)))


@pytest.mark.parametrize("name", EXAMPLES)
def test_outcomes_are_what_it_says(client: Client, document: dict[str, Any], name: str) -> None:
    """Of one event and of many, in the general schema and in the service's own."""
    events = [*example_events(name), b"{}", b"3"]
    for body in (events[0], b"[" + b",".join(events) + b"]"):
        found = client.score(name, body).json
        for path in ("/services/{id}/score", f"/services/{name}/score"):
            jsonschema.validate(found, schema_of(document, path, "200"))


def test_a_wrong_outcome_does_not_fit(document: dict[str, Any]) -> None:
    """The service's own schema knows its fields."""
    schema = schema_of(document, "/services/digits/score", "200")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"status": "scored", "event": {"digit": "two"}}, schema)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_event_is_the_sources_schema(document: dict[str, Any], name: str) -> None:
    """The request's schema takes the sample events, and refuses what the decoder refuses."""
    content = document["paths"][f"/services/{name}/score"]["post"]["requestBody"]["content"]
    schema = {"components": document["components"], **content["application/json"]["schema"]}
    for value in example_events(name, 20):
        jsonschema.validate(json.loads(value), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({}, schema)
    assert COLUMNS in content


def test_refusals_are_what_it_says(client: Client, document: dict[str, Any]) -> None:
    """Every failure that the document lists has the form of an error."""
    for found in (client.score("no", b"{}"), client.score("digits", b"{"), client.ask("GET", "/x")):
        schema = {"$ref": "#/components/schemas/Error", "components": document["components"]}
        jsonschema.validate(found.json, schema)
    responses = document["paths"]["/services/{id}/score"]["post"]["responses"]
    assert {"400", "401", "403", "404", "408", "413", "415", "429", "503", "504"} < set(responses)


def test_what_changes_services_tells_its_failures(document: dict[str, Any]) -> None:
    """Those of a body where there is one; only a rollback may do without."""
    needed = {}
    for path, method in (
        ("/services", "post"),
        ("/services/{id}", "put"),
        ("/services/{id}", "delete"),
        ("/services/{id}/rollback", "post"),
        ("/services/{id}/pause", "post"),
    ):
        operation = document["paths"][path][method]
        told = set(operation["responses"])
        assert {"400", "401", "403", "404", "409", "429", "500", "503"} <= told
        body = operation.get("requestBody")
        assert ({"408", "413", "415"} <= told) == (body is not None)
        needed[f"{method} {path}"] = None if body is None else body["required"]
    assert needed == {
        "post /services": True,
        "put /services/{id}": True,
        "delete /services/{id}": None,
        "post /services/{id}/rollback": False,
        "post /services/{id}/pause": None,
    }


def test_the_token_is_told_where_it_is_needed(document: dict[str, Any]) -> None:
    """On loopback no route has security, beyond it those that score have."""
    assert [
        path for path in document["paths"].values() for op in path.values() if "security" in op
    ] == []
    with serving(Shelf.of(served(ONLY)), http_host="0.0.0.0") as client:
        found = client.ask("GET", "/openapi.json").json
    guarded = {p for p, item in found["paths"].items() if "security" in item.get("post", {})}
    assert guarded == {p for p, item in found["paths"].items() if "post" in item}
    assert list(OpenAPIV31SpecValidator(found).iter_errors()) == []


def test_it_follows_what_is_served() -> None:
    """A service that comes is in the next document."""
    shelf = Shelf()
    with serving(shelf) as client:
        assert "/services/only/score" not in client.ask("GET", "/openapi.json").json["paths"]
        shelf.services["only"] = served(ONLY)
        assert "/services/only/score" in client.ask("GET", "/openapi.json").json["paths"]
