"""A notebook's graph becomes a graph file: its topics and its schema, where nobody named them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker.batch import DType
from worker.errors import ConfigError, Problem
from worker.graph.asked import misspelt
from worker.graph.dsl import Dsl, parse_dsl
from worker.graph.infer import Inference
from worker.graph.payload import dtype_of, samples
from worker.graph.spec import NodeSpec, parse, unwrap
from worker.graph.structure import edge_problems, node_params
from worker.nodes.base import Params
from worker.schema import path_of

_DECLARED: dict[DType, dict[str, str]] = {
    DType.FLOAT64: {"type": "number"},
    DType.INT64: {"type": "integer"},
    DType.TEXT: {"type": "string"},
    DType.BOOL: {"type": "boolean"},
    DType.DATETIME: {"type": "string", "format": "date-time"},
}
_WORDS = {DType.FLOAT64: "number", DType.INT64: "integer", DType.DATETIME: "date-time"}
_WAY_OUT = "give schema={...}, or a sample of the events as json_payload of JsonToDataframe"

Place = str | Mapping[str, Any]
"""A topic, or the whole `source` or `sink` of a graph file."""


def is_bare(data: object) -> bool:
    """Whether this is a notebook's DSL: nodes, and neither a name nor topics."""
    inner, _ = unwrap(data)
    named = {"name", "source", "sink"}
    return isinstance(inner, Mapping) and "nodes" in inner and not inner.keys() & named


def complete(
    dsl: object,
    service_id: str,
    source: Place | None = None,
    sink: Place | None = None,
    schema: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The graph file of a notebook's graph, as data; what the DSL itself says is kept.

    Args:
        dsl: JSON text or data: nodes and edges, flat or in the envelope.
        service_id: names the graph and its topics, ``<id>-events`` and ``<id>-scored``.
        source: the topic of events, or all of ``source``.
        sink: the topic of scores, or all of ``sink``.
        schema: JSON Schema of the events; without one it is derived, see `derived`.

    Raises:
        ConfigError: every problem: of the nodes, of a schema that stays ambiguous, of the rest.
    """
    graph = parse_dsl(dsl)
    params, problems = node_params(graph.nodes)
    problems += edge_problems(graph)
    if problems:
        raise ConfigError(problems)
    rest = graph.rest
    read = _merged(f"{service_id}-events", rest.get("source"), source)
    written = _merged(f"{service_id}-scored", rest.get("sink"), sink)
    if schema is not None:
        read["schema"] = dict(schema)
    if "schema" not in read:
        read["schema"] = derived(graph, params)
    document = {
        "name": service_id,
        **rest,
        "source": read,
        "nodes": [_written(node) for node in graph.nodes],
        "edges": [list(link) for link in graph.links],
        "sink": written,
    }
    parse(document)
    return document


def _written(node: NodeSpec) -> dict[str, Any]:
    """The node as data; a model has one name, by which it is looked for in the store."""
    data: dict[str, Any] = node.model_dump(mode="json")
    params = data["params"]
    if node.type == "ONNXNode" and "model_id" in params:
        data["params"] = {"model": params["model_id"], **params}
        del data["params"]["model_id"]
    return data


def _merged(topic: str, known: object, given: Place | None) -> dict[str, Any]:
    place = {"topic": topic, **(known if isinstance(known, Mapping) else {})}
    return place | ({"topic": given} if isinstance(given, str) else dict(given or {}))


def derived(graph: Dsl, params: Mapping[str, Params]) -> dict[str, Any]:
    """The JSON Schema of the events that a graph can work on.

    Features are numbers. Other fields have the type with which every node can be built: the keys
    of a mapping, the value that fills gaps, the categories, the operation itself decide. Where
    several types would do, a sample in the graph decides, `to_datetime` takes text, and numbers
    take fractions. No field is required.

    Raises:
        ConfigError: fields whose type stays open, those whose sample does not fit the graph, and
            what is wrong where no types do.
    """
    cells = samples(graph.nodes)
    known = {name: found for name, rows in cells.items() if (found := dtype_of(rows)) is not None}
    inference = Inference(graph, params, known)
    asked = [name for name in inference.types if name not in cells]
    problems = misspelt(asked, cells) or inference.attempt().problems
    if problems:
        raise ConfigError(problems)
    fits = inference.fits
    types = {name: _decided(allowed, known.get(name)) for name, allowed in fits.items()}
    conflicts = [
        Problem(
            name,
            f"is {dtype} in json_payload, and the graph can take {_listed(fits[name])} "
            f"only; convert it in a first node (astype), or {_WAY_OUT}",
        )
        for name, dtype in known.items()
        if types[name] is None
    ]
    open_ = [
        f"'{name}' ({_listed(fits[name])})"
        for name, dtype in types.items()
        if dtype is None and name not in known
    ]
    if open_:
        message = f"the graph does not tell the type of {', '.join(open_)}; {_WAY_OUT}"
        conflicts.append(Problem("schema", message))
    if conflicts:
        raise ConfigError(conflicts)
    return nested({name: dtype for name, dtype in types.items() if dtype is not None})


def _decided(fits: frozenset[DType], sample: DType | None) -> DType | None:
    """The type of a field; None where it stays open, or the sample does not fit."""
    numbers: list[DType] = [d for d in (DType.FLOAT64, DType.INT64) if d in fits]
    if sample in fits and sample is not DType.FLOAT64:
        return sample
    if sample is DType.FLOAT64:
        return numbers[0] if numbers else None
    if sample is DType.TEXT and DType.DATETIME in fits:
        return DType.DATETIME
    if sample is not None:
        return None
    if DType.TEXT not in fits:
        return (numbers or [d for d in (DType.BOOL, DType.DATETIME) if d in fits])[0]
    if not numbers and DType.BOOL not in fits:
        return DType.TEXT
    instant = DType.DATETIME in fits and DType.BOOL not in fits
    return DType.TEXT if instant else None


def _listed(fits: frozenset[DType]) -> str:
    if fits >= _DECLARED.keys():
        return "any type"
    return " or ".join(_WORDS.get(dtype, str(dtype)) for dtype in DType if dtype in fits)


def nested(types: Mapping[str, DType]) -> dict[str, Any]:
    """The JSON Schema in which these columns are the fields of their dotted paths.

    Raises:
        ConfigError: a field that is a value, and has fields inside.
    """
    schema: dict[str, Any] = {"type": "object", "properties": {}}
    for name in sorted(types):
        *above, last = path_of(name)
        place = schema
        for part in above:
            place = place["properties"].setdefault(part, {"type": "object", "properties": {}})
            if "properties" not in place:
                raise ConfigError(Problem("schema", f"'{name}' lies inside a field with a value"))
        if last in place["properties"]:
            raise ConfigError(Problem("schema", f"'{name}' has a value, and fields inside"))
        place["properties"][last] = dict(_DECLARED[types[name]])
    return schema
