"""The categories of ``get_dummies``, which one event does not know: the features name them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from worker.batch import DType
from worker.errors import ConfigError, Problem
from worker.graph.dsl import Dsl
from worker.graph.flow import words
from worker.graph.infer import Inference
from worker.graph.order import predecessors
from worker.graph.payload import dtype_of, samples
from worker.graph.spec import NodeSpec
from worker.graph.structure import node_params

Category = str | int | bool
_SHOWN = 8
_WHOLE = re.compile(r"-?[0-9]+")
_NAN = "nan"
"""What `dummy_na` calls missing values, which are no category."""


@dataclass(frozen=True, slots=True)
class _Sources:
    """What reaches a node.

    Attributes:
        types: column -> its type; None where the graph does not tell.
        prefixes: column -> how its new columns begin.
        named: whether the node names its columns.
    """

    types: Mapping[str, DType | None]
    prefixes: Mapping[str, str]
    named: bool


def with_categories(dsl: Dsl) -> Dsl:
    """The graph with the categories that the features behind each ``get_dummies`` name.

    ``gender_female`` is the category ``female`` of the column ``gender``.

    Raises:
        ConfigError: a node for which neither ``categories`` nor the features name any.
    """
    nodes, problems = list(dsl.nodes), []
    for i, node in enumerate(dsl.nodes):
        if not _lacks_categories(node):
            continue
        found, hint = _named(dsl, node)
        if found:
            nodes[i] = _given(node, found)
        else:
            message = (
                "one event knows no categories: give categories={column: [values]}, or an ONNXNode "
                f"behind it whose features name them, such as gender_female{hint}"
            )
            problems.append(Problem(f"nodes[{i}].params.categories", message))
    if problems:
        raise ConfigError(problems)
    return dsl.model_copy(update={"nodes": nodes})


def _lacks_categories(node: NodeSpec) -> bool:
    params = node.params
    return (
        node.type == "Pandas"
        and str(params.get("import")).rpartition(".")[2] == "get_dummies"
        and not params.get("categories")
    )


def _given(node: NodeSpec, categories: Mapping[str, list[Category]]) -> NodeSpec:
    """The node with its categories; features hold every column, so that none is dropped."""
    params = {**node.params, "categories": {k: list(v) for k, v in categories.items()}}
    kwargs = dict(params.get("kwargs") or {})
    if kwargs.pop("drop_first", None) is not None:
        params["kwargs"] = kwargs
    return node.model_copy(update={"params": params})


def _named(dsl: Dsl, node: NodeSpec) -> tuple[dict[str, list[Category]], str]:
    """Column -> its categories in the order of the features; where there are none, a hint."""
    before, _ = predecessors([n.id for n in dsl.nodes], dsl.links)
    after: dict[str, list[str]] = {n.id: [] for n in dsl.nodes}
    for name, feeders in before.items():
        for feeder in feeders:
            after[feeder].append(name)
    behind = _reached(node.id, after)
    features: list[str] = []
    for other in dsl.nodes:
        if other.id in behind and other.type == "ONNXNode":
            features += words(other.params.get("features"))
    sources = _sources(dsl, node, _reached(node.id, before))
    found: dict[str, list[str]] = {}
    left = []
    for feature in dict.fromkeys(features):
        column = _owner(feature, sources)
        if column is not None:
            found.setdefault(column, []).append(feature[len(sources.prefixes[column]) :])
        elif feature not in sources.types:
            left.append(feature)
    kwargs = dict(node.params.get("kwargs") or {})
    if not found and not sources.named:
        found = _guessed(left, str(kwargs.get("prefix_sep", "_")))
    if kwargs.get("dummy_na"):
        found = _without(found, _NAN)
    hint = ""
    if left and sources.prefixes:
        starts = " or ".join(f"'{start}'" for start in list(sources.prefixes.values())[:_SHOWN])
        hint = f"; of the features {', '.join(left[:_SHOWN])} none begins with {starts}"
    typed = {column: _typed(texts, sources.types.get(column)) for column, texts in found.items()}
    return typed, hint


def _reached(start: str, links: Mapping[str, Iterable[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(links[start])
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += links[name]
    return found


def _sources(dsl: Dsl, node: NodeSpec, ancestors: set[str]) -> _Sources:
    """The columns that may be encoded: those the node names, else text as pandas takes it."""
    types = _types(dsl, node, ancestors)
    kwargs = dict(node.params.get("kwargs") or {})
    given = node.params.get("cols") or kwargs.get("columns")
    named = [given] if isinstance(given, str) else list(given or [])
    columns = named or [name for name, dtype in types.items() if dtype in (DType.TEXT, None)]
    prefix, separator = kwargs.get("prefix"), str(kwargs.get("prefix_sep", "_"))
    starts: Mapping[str, Any] = {}
    if isinstance(prefix, Mapping):
        starts = prefix
    elif isinstance(prefix, list) and len(prefix) == len(named):
        starts = dict(zip(named, prefix, strict=True))
    elif isinstance(prefix, str):
        starts = dict.fromkeys(columns, prefix)
    prefixes = {column: f"{starts.get(column, column)}{separator}" for column in columns}
    return _Sources(types, prefixes, bool(named))


def _types(dsl: Dsl, node: NodeSpec, ancestors: set[str]) -> dict[str, DType | None]:
    """The columns that reach the node, as far as the graph before it and a sample tell."""
    cells = samples(dsl.nodes)
    known: dict[str, DType | None] = {name: dtype_of(rows) for name, rows in cells.items()}
    nodes = [other for other in dsl.nodes if other.id in ancestors]
    params, problems = node_params(nodes)
    if problems or not nodes:
        return known
    links = [(a, b) for a, b in dsl.links if a in ancestors and b in ancestors]
    graph = Dsl(nodes=nodes, edges=links)
    sure = {name: dtype for name, dtype in known.items() if dtype is not None}
    found = Inference(graph, params, sure)
    flows = found.attempt().flows
    open_ = {name for name, fits in found.fits.items() if len(fits) > 1 and name not in sure}
    reaching: dict[str, DType | None] = {n: d for n, d in known.items() if d is None}
    before, _ = predecessors([n.id for n in dsl.nodes], dsl.links)
    for feeder in before[node.id]:
        for name, kind in flows[feeder].types.items():
            untouched = name in open_ and kind.dtype is found.types[name]
            reaching[name] = None if untouched else kind.dtype
    return reaching


def _owner(feature: str, sources: _Sources) -> str | None:
    """The column of whose categories a feature is one; the longest name wins."""
    if feature in sources.types and feature not in sources.prefixes:
        return None
    owners = [
        c for c, start in sources.prefixes.items() if feature.startswith(start) and c != feature
    ]
    return max(owners, key=lambda column: len(sources.prefixes[column]), default=None)


def _guessed(features: list[str], separator: str) -> dict[str, list[str]]:
    """Where nothing names a column: features of one beginning are the categories of one."""
    found: dict[str, list[str]] = {}
    for feature in features:
        column, cut, value = feature.partition(separator)
        if cut and column and value:
            found.setdefault(column, []).append(value)
    return found


def _without(found: Mapping[str, list[str]], gone: str) -> dict[str, list[str]]:
    kept = {column: [text for text in texts if text != gone] for column, texts in found.items()}
    return {column: texts for column, texts in kept.items() if texts}


def _typed(texts: list[str], dtype: DType | None) -> list[Category]:
    """Categories of the column's type; text where the graph does not tell another one."""
    if dtype is DType.BOOL and set(texts) <= {"True", "False"}:
        return [text == "True" for text in texts]
    numeric = dtype in (DType.INT64, DType.FLOAT64)
    whole = {text for text in texts if _WHOLE.fullmatch(text)}
    if numeric and all(str(int(text)) == text for text in whole):
        return [int(text) if text in whole else text for text in texts]
    return list(texts)
