"""The OpenAPI 3.1 document: made of the routes, and of the schemas of what is served."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from worker import __version__
from worker.web.answers import JSON
from worker.web.body import COLUMNS
from worker.web.catalogue import Served
from worker.web.routes import Route
from worker.web.schemas import (
    NOT_SCORED,
    SCHEMAS,
    an_object,
    column,
    listed,
    one_or_more,
    refer,
    scored,
)
from worker.web.scoring import PATH

_VARIABLE = re.compile(r"\{(\w+)\}")
_UNFIT = re.compile(r"[^A-Za-z0-9._-]")
_DESCRIPTION = """Scores events over HTTP with the graphs that this worker serves on Kafka: \
the same bytes as the stream."""


def document(routes: Iterable[Route], served: Iterable[Served], *, local: bool) -> dict[str, Any]:
    """The whole document.

    Args:
        routes: what the server answers to.
        served: each service has a path of its own, with its event and its fields.
        local: the server listens on loopback, where no token is needed.
    """
    paths: dict[str, dict[str, Any]] = {}
    schemas = dict(SCHEMAS)
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, local=local)
    for service in served:
        path, operation = _of_service(service, paths[PATH]["post"], schemas)
        paths[path] = {"post": operation}
    return {
        "openapi": "3.1.0",
        "info": {"title": "rtml", "version": __version__, "description": _DESCRIPTION},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route, *, local: bool) -> dict[str, Any]:
    words = re.findall(r"\w+", route.path)
    operation: dict[str, Any] = {
        "operationId": "_".join([route.method.lower(), *words]),
        "summary": route.summary,
        "responses": {
            str(status): _response(route, status, told) for status, told in route.answers.items()
        },
    }
    operation["responses"]["default"] = {
        "description": "Anything else that is refused",
        "content": {JSON: {"schema": refer("Error")}},
    }
    text = {"type": "string"}
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": text}
        for name in _VARIABLE.findall(route.path)
    ]
    parameters += [
        {"name": name, "in": "query", "description": told, "schema": text}
        for name, told in route.query.items()
    ]
    if parameters:
        operation["parameters"] = parameters
    if route.bodies:
        content = {kind: {"schema": schema} for kind, schema in route.bodies.items()}
        operation["requestBody"] = {"required": route.needs_body, "content": content}
    if route.guarded and not local:
        operation["security"] = [{"token": []}]
    return operation


def _response(route: Route, status: int, told: str) -> dict[str, Any]:
    """Some failures have the form of the answer, such as that of readiness; others are errors."""
    if status >= 400 and status not in route.own:
        return {"description": told, "content": {JSON: {"schema": refer("Error")}}}
    schema = refer(route.schema) if route.schema else {"type": "string"}
    return {"description": told, "content": {route.media: {"schema": schema}}}


def _of_service(
    service: Served, score: Mapping[str, Any], schemas: dict[str, dict[str, Any]]
) -> tuple[str, dict[str, Any]]:
    """Path and operation of one service; its event and its outcome go into the schemas."""
    spec, plan = service.plan.spec, service.plan
    name = _UNFIT.sub("_", service.id)
    event = {k: v for k, v in plan.schema.source.items() if k not in ("$schema", "$id")}
    fields = an_object({field: column(kind) for field, kind in plan.fields.items()})
    merge = spec.sink.into == "merge"
    schemas[f"{name}.event"] = event
    schemas[f"{name}.scored"] = fields
    schemas[f"{name}.outcome"] = {
        "oneOf": [
            scored(refer(f"{name}.scored"), "event" if merge else "fields"),
            *map(refer, NOT_SCORED),
        ]
    }
    content = {JSON: {"schema": one_or_more(refer(f"{name}.event"))}}
    content[COLUMNS] = score["requestBody"]["content"][COLUMNS]
    outcome = refer(f"{name}.outcome")
    answer = {"description": score["responses"]["200"]["description"]}
    answer |= {"content": {JSON: {"schema": {"oneOf": [outcome, listed(outcome)]}}}}
    operation = {key: value for key, value in score.items() if key != "parameters"}
    operation |= {
        "operationId": f"score_{name}",
        "summary": f"Score events of {spec.name}",
        "description": spec.description,
        "requestBody": {"required": True, "content": content},
        "responses": {**score["responses"], "200": answer},
    }
    return PATH.replace("{id}", quote(service.id, safe="")), operation
