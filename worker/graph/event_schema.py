"""The schema that a graph's source names."""

from __future__ import annotations

from pathlib import Path

from worker.errors import ConfigError, Problem
from worker.graph.spec import GraphSpec
from worker.graph.text import read
from worker.nodes.base import own_path
from worker.schema import Schema, parse


def event_schema(spec: GraphSpec, folder: Path | None) -> tuple[Schema, GraphSpec]:
    """The schema, inline or in the file beside the graph; and the graph with it inline.

    Raises:
        ConfigError: every problem, with its path in the graph, or with its own file and line.
    """
    source = spec.source.event_schema
    try:
        if isinstance(source, dict):
            return parse(source), spec
        if folder is None:
            message = f"'{source}' is a file, and this graph has no folder; write the schema inline"
            raise ConfigError(Problem("", message))
        path = own_path(source, folder)
        if path is None:
            raise ConfigError(Problem("", f"'{source}' must lie in the graph's own folder"))
        if not path.exists():  # the graph's line is the one to change
            raise ConfigError(Problem("", f"'{source}' cannot be read: no such file"))
        document = read(path)
        try:
            return parse(document.data), _inline(spec, document.data)
        except ConfigError as error:
            raise ConfigError(document.locate(problem) for problem in error.problems) from error
    except ConfigError as error:
        raise ConfigError(
            p if p.file else p.within("source.schema") for p in error.problems
        ) from error


def _inline(spec: GraphSpec, schema: object) -> GraphSpec:
    source = spec.source.model_copy(update={"event_schema": schema})
    return spec.model_copy(update={"source": source})
