"""A node kind as data: its params in words, and its example."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import BaseModel

from worker.graph.json_schema import description, summary
from worker.nodes.base import Node

_WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
    "array": "list",
    "object": "mapping",
}
_SCALAR = {"true or false", "number", "text"}


@dataclass(frozen=True, slots=True)
class Param:
    """One param.

    Attributes:
        name: its key.
        type: what may stand there, in words.
        required: whether it must be given.
        default: the value of a param that is not given, as JSON.
    """

    name: str
    type: str
    required: bool
    default: Any

    @property
    def shown_default(self) -> str:
        """``required``, the default as a graph file would say it, or nothing for null."""
        if self.required:
            return "required"
        return "" if self.default is None else f"default {json.dumps(self.default)}"


def params(kind: type[Node[Any]]) -> list[Param]:
    """The params of a kind, in the order of its class."""
    return params_of(kind.Params)


def params_of(model: type[BaseModel]) -> list[Param]:
    """The fields of a model, in its order."""
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})
    required = schema.get("required", [])
    return [
        Param(name, words(field, definitions), name in required, field.get("default"))
        for name, field in schema.get("properties", {}).items()
    ]


def snippet(name: str, kind: type[Node[Any]]) -> str:
    """The example of a kind as it stands among a graph's nodes, in YAML."""
    import yaml

    node = {"id": name.lower(), "type": name, "params": dict(kind.EXAMPLE.params)}
    return yaml.safe_dump(
        [node], sort_keys=False, default_flow_style=None, allow_unicode=True, width=100
    )


def words(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """A JSON Schema in a few words: ``list of text``, ``reject | missing``."""
    if "$ref" in schema:
        return words(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        found = [words(part, definitions) for part in schema["anyOf"]]
        if "number" in found:
            found = [word for word in found if word != "whole number"]
        if set(found) >= _SCALAR:
            found = ["scalar", *(word for word in found if word not in _SCALAR)]
        return " or ".join(dict.fromkeys(word for word in found if word != "null"))
    if "const" in schema:
        return str(json.dumps(schema["const"])).strip('"')
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    kind = schema.get("type")
    if kind == "array" and "items" in schema:
        return f"list of {_grouped(words(schema['items'], definitions))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"mapping of name to {_grouped(words(schema['additionalProperties'], definitions))}"
    if kind == "object" and "properties" in schema:
        inner = (f"{key}: {words(v, definitions)}" for key, v in schema["properties"].items())
        return "{" + ", ".join(inner) + "}"
    return _WORDS.get(str(kind), "anything")


def _grouped(inner: str) -> str:
    single = inner.startswith("{") or not (" or " in inner or " | " in inner)
    return inner if single else f"({inner})"


def report(name: str, kind: type[Node[Any]]) -> dict[str, Any]:
    """Everything about a kind, for ``--output json``."""
    example = kind.EXAMPLE
    return {
        "kind": name,
        "summary": summary(kind),
        "description": description(kind),
        "module": kind.__module__,
        "notebook_only": False,
        "row_independent": kind.row_independent,
        "params": [asdict(param) for param in params(kind)],
        "example": {
            "params": example.params,
            "types": {column: str(of) for column, of in example.types.items()},
            "given": example.given,
            "gives": example.gives,
        },
    }
