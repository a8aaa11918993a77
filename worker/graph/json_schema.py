"""The JSON Schema of the graph file, for editors: completion, hints and checks while typing."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from worker.graph.spec import GraphSpec, NodeSpec
from worker.nodes._pandas.table import ALIASES, OPERATIONS
from worker.nodes.base import Node
from worker.nodes.pandas import PandasParams

DIALECT = "https://json-schema.org/draft/2020-12/schema"
IDENTIFIER = "urn:rtml-worker:graph"

Kinds = Mapping[str, type[Node[Any]]]


class _Generator(GenerateJsonSchema):
    """pydantic's own, without a title that only repeats a field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's signature
        """Never."""
        return False


def graph_schema(kinds: Kinds) -> dict[str, Any]:
    """The schema (draft 2020-12) of a graph file whose nodes are of these kinds.

    Each node's ``params`` are checked by its ``type``, and the ``kwargs`` of `Pandas` by its
    ``import``. A graph inside Adobe's envelope is not
    described: it is not written by hand.
    """
    models: list[type[BaseModel]] = [GraphSpec, NodeSpec]
    models += [kind.Params for kind in kinds.values()]
    models += dict.fromkeys(operation.kwargs for operation in OPERATIONS.values())
    references, top = models_json_schema(
        [(model, "validation") for model in models], schema_generator=_Generator
    )
    definitions: dict[str, Any] = top["$defs"]
    for definition in definitions.values():
        definition.pop("title", None)
        if "description" in definition:
            definition["description"] = markdown(definition["description"])
    node = definitions[references[NodeSpec, "validation"]["$ref"].rpartition("/")[2]]
    _tell_kinds(node, kinds, {k.Params: references[k.Params, "validation"] for k in kinds.values()})
    _tell_operations(
        definitions[references[PandasParams, "validation"]["$ref"].rpartition("/")[2]],
        {model: references[model, "validation"] for model in models},
    )
    graph = definitions.pop(references[GraphSpec, "validation"]["$ref"].rpartition("/")[2])
    graph["properties"]["$schema"] = {"type": "string", "description": "for editors; not read"}
    return {
        "$schema": DIALECT,
        "$id": IDENTIFIER,
        "title": "RTML graph",
        **graph,
        "$defs": definitions,
    }


def _tell_kinds(
    node: dict[str, Any], kinds: Kinds, params: Mapping[type[Any], Mapping[str, Any]]
) -> None:
    """Adds to the schema of a node what each kind's params are."""
    node["properties"]["type"] |= {
        "enum": list(kinds),
        "markdownEnumDescriptions": [markdown(summary(kind)) for kind in kinds.values()],
    }
    node["properties"]["params"] = {"type": "object"}
    node["allOf"] = [
        {
            "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
            "then": {
                "properties": {
                    "params": {"description": markdown(description(kind)), **params[kind.Params]}
                },
                "required": _required(kind),
            },
        }
        for name, kind in kinds.items()
    ]


def _tell_operations(pandas: dict[str, Any], references: Mapping[Any, Mapping[str, Any]]) -> None:
    """Adds to the schema of `Pandas` its operations, and the keywords of each."""
    names = {name: name for name in OPERATIONS} | ALIASES
    pandas["properties"]["import"]["enum"] = list(names)
    by_kwargs: dict[type[BaseModel], list[str]] = {}
    for name, operation in names.items():
        by_kwargs.setdefault(OPERATIONS[operation].kwargs, []).append(name)
    pandas["allOf"] = [
        {
            "if": {"properties": {"import": {"enum": operations}}, "required": ["import"]},
            "then": {
                "properties": {"kwargs": dict(references[kwargs])},
                "required": ["kwargs"] if _needs_some(kwargs) else [],
            },
        }
        for kwargs, operations in by_kwargs.items()
    ]


def _needs_some(model: type[BaseModel]) -> bool:
    return any(field.is_required() for field in model.model_fields.values())


def _required(kind: type[Node[Any]]) -> list[str]:
    return ["params"] if _needs_some(kind.Params) else []


def description(kind: type[Any]) -> str:
    """What a node kind does: its docstring."""
    return inspect.cleandoc(kind.__doc__ or "")


def summary(kind: type[Any]) -> str:
    """The first sentence of `description`."""
    first = description(kind).split("\n\n")[0]
    return " ".join(first.split())


def markdown(docstring: str) -> str:
    """A docstring's code marks as Markdown has them, its paragraphs as one line each."""
    paragraphs = docstring.replace("``", "`").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
