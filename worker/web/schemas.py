"""JSON Schemas of the answers, by their names in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from worker.batch import ColumnType, DType

_TEXT = {"type": "string"}
_TENSOR = {
    "name": _TEXT,
    "datatype": _TEXT,
    "shape": {"type": "array", "items": {"type": "integer"}},
}
_VALUES = {
    "description": "flat or nested, row by row",
    "type": "array",
    "items": {"type": ["number", "string", "boolean", "null", "array"]},
}
_TYPES: dict[DType, dict[str, Any]] = {
    DType.FLOAT32: {"type": "number"},
    DType.FLOAT64: {"type": "number"},
    DType.INT64: {"type": ["integer", "null"]},
    DType.BOOL: {"type": ["boolean", "null"]},
    DType.TEXT: {"type": ["string", "null"]},
    DType.DATETIME: {"type": ["string", "null"], "format": "date-time"},
}


def column(kind: ColumnType) -> dict[str, Any]:
    """What a sink field of this type looks like."""
    inner = _TYPES[kind.dtype]
    if kind.length is None:
        return inner
    return {"type": "array", "items": inner, "minItems": kind.length, "maxItems": kind.length}


def an_object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """An object whose first members are all there."""
    members = required | (optional or {})
    return {"type": "object", "required": list(required), "properties": members}


def refer(name: str) -> dict[str, Any]:
    """A reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def listed(item: dict[str, Any]) -> dict[str, Any]:
    """A list of it."""
    return {"type": "array", "items": item}


def one_or_more(item: dict[str, Any]) -> dict[str, Any]:
    """It, or a list of it."""
    return {"oneOf": [item, listed(item)]}


def scored(event: dict[str, Any], key: str) -> dict[str, Any]:
    """An event that was scored; ``topic`` where a Route chose one."""
    return an_object({"status": {"const": "scored"}, key: event}, {"topic": _TEXT})


_COUNT = {"type": "integer"}
_FLAG = {"type": "boolean"}
_TEXTS = {"type": "object", "additionalProperties": _TEXT}
_STATUS: dict[str, Any] = {
    "worker": _TEXT,
    "version": _COUNT,
    "updated_ms": _COUNT,
    "state": _TEXT,
    "reason": _TEXT,
    "serving": {"type": ["integer", "null"]},
    "at_ms": _COUNT,
}
_PUBLISHED: dict[str, Any] = {
    "id": _TEXT,
    "name": _TEXT,
    "type": {"enum": ["edge", "hub"]},
    "location": _TEXT,
    "created": _COUNT,
    "updated": _COUNT,
    "deprecated": _FLAG,
    "wanted": {"enum": ["running", "paused"]},
    "version": _COUNT,
    "versions": listed(_COUNT),
    "digest": {"type": ["string", "null"]},
    "models": _TEXTS,
    "url": _TEXT,
    "reached": _FLAG,
    "problem": _TEXT,
    "workers": listed(an_object(_STATUS)),
}
_VERSION: dict[str, Any] = {
    "version": _COUNT,
    "digest": _TEXT,
    "models": _TEXTS,
    "created": _COUNT,
    "graph": {"type": "object"},
}

NOT_SCORED = {
    "Dropped": an_object(
        {"status": {"const": "dropped"}, "reason": _TEXT, "node": {"type": ["string", "null"]}}
    ),
    "Rejected": an_object(
        {
            "status": {"const": "rejected"},
            "node": {"type": ["string", "null"]},
            "stage": {"enum": ["decode", "validate", "node", "score", "encode"]},
            "error": _TEXT,
            "message": _TEXT,
        }
    ),
}

SCHEMAS: dict[str, dict[str, Any]] = {
    "Error": an_object({"error": _TEXT}, {"hint": _TEXT}),
    "Live": an_object({"live": {"const": True}}),
    "Ready": an_object({"ready": {"type": "boolean"}, "reasons": listed(_TEXT)}),
    "OpenApi": {"type": "object"},
    "Services": an_object({"services": listed(refer("Service"))}),
    "Service": an_object(
        {
            "id": _TEXT,
            "name": _TEXT,
            "description": _TEXT,
            "version": {"type": ["integer", "null"]},
            "state": _TEXT,
            "problem": _TEXT,
            "source": an_object({"topic": _TEXT}),
            "sink": an_object({"topics": listed(_TEXT), "into": {"enum": ["merge", "only"]}}),
            "dead_letter": an_object({"topic": _TEXT}),
            "fields": {"type": "object", "additionalProperties": _TEXT},
            "models": listed(an_object({"name": _TEXT, "sha256": _TEXT})),
            "graph": _TEXT,
        }
    ),
    "Published": an_object(_PUBLISHED),
    "Shown": an_object(_PUBLISHED | {"versions": listed(an_object(_VERSION))}),
    "Listed": an_object({"services": listed(refer("Published")), "unreadable": _TEXTS}),
    "Resumed": {"anyOf": [refer("Published"), refer("Service")]},
    **NOT_SCORED,
    "Scored": an_object(
        {"status": {"const": "scored"}},
        {"event": {"type": "object"}, "fields": {"type": "object"}, "topic": _TEXT},
    ),
    "Outcome": {"oneOf": [refer("Scored"), refer("Dropped"), refer("Rejected")]},
    "Outcomes": one_or_more(refer("Outcome")),
    "Server": an_object({"name": _TEXT, "version": _TEXT, "extensions": listed(_TEXT)}),
    "Model": an_object(
        {
            "name": _TEXT,
            "versions": listed(_TEXT),
            "platform": _TEXT,
            "inputs": listed(an_object(_TENSOR)),
            "outputs": listed(an_object(_TENSOR)),
        }
    ),
    "ModelReady": an_object({"name": _TEXT, "ready": {"type": "boolean"}}),
    "InferenceRequest": an_object(
        {"inputs": listed(an_object(_TENSOR | {"data": _VALUES}))},
        {"id": _TEXT, "outputs": listed(an_object({"name": _TEXT}))},
    ),
    "InferenceAnswer": an_object(
        {"model_name": _TEXT, "outputs": listed(an_object(_TENSOR | {"data": _VALUES}))},
        {"model_version": _TEXT, "id": _TEXT},
    ),
}
