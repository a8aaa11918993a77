"""From a GRAPH argument to a plan, its problems with file and line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worker.errors import ConfigError, Problem

if TYPE_CHECKING:
    from worker.graph.plan import Plan
    from worker.graph.spec import GraphSpec
    from worker.models.inspect import Report

GRAPH_FILE = "graph.yaml"

GraphArgument = Annotated[
    Path, typer.Argument(metavar="GRAPH", help="A graph file, or a folder with a graph.yaml.")
]
GraphArguments = Annotated[
    list[Path],
    typer.Argument(metavar="GRAPH", help="Graph files, or folders with a graph.yaml."),
]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A valid graph.

    Attributes:
        path: the file it stands in.
        plan: of the graph.
        models: what inspection says of each model; empty where none was asked for.
    """

    path: Path
    plan: Plan
    models: Mapping[str, Report] = field(default_factory=dict)


def graph_path(argument: Path) -> Path:
    """The graph file that an argument means: itself, or the one in the folder.

    Raises:
        ConfigError: a folder without one.
    """
    if not argument.is_dir():
        return argument
    path = argument / GRAPH_FILE
    if not path.is_file():
        raise ConfigError(Problem("", f"there is no {GRAPH_FILE} in this folder", str(argument)))
    return path


def load_graph(argument: Path, *, inspected: bool = False) -> Loaded:
    """The graph, checked in both phases.

    Args:
        argument: a graph file, or a folder with one.
        inspected: whether each model is first tried in a process of its own with limits; 0.4 s
            each. Without, a model that never returns hangs its loader.

    Raises:
        ConfigError: every problem, with file and line.
    """
    from worker.graph.plan import plan
    from worker.graph.spec import load, prefix_of

    path = graph_path(argument)
    spec, document = load(path)
    try:
        models = _inspected(spec, path.parent) if inspected else {}
        return Loaded(path, plan(spec, path.parent), models)
    except ConfigError as error:
        prefix = prefix_of(document.data)
        inner = [p.within(prefix) if prefix and not p.file else p for p in error.problems]
        raise ConfigError(p if p.file else document.locate(p) for p in inner) from error


def _inspected(spec: GraphSpec, folder: Path) -> dict[str, Report]:
    """What inspection says of the models that are there; the plan tells of the others.

    Raises:
        ConfigError: every reason for which a model must not be used, at the node that names it.
    """
    from worker.models.inspect import inspect
    from worker.nodes.base import own_path

    reports: dict[str, Report] = {}
    problems: list[Problem] = []
    for i, node in enumerate(spec.nodes):
        name = node.params.get("model")
        if node.type != "ONNXNode" or not isinstance(name, str) or name in reports:
            continue
        path = own_path(name, folder)
        if path is None or not path.is_file():
            continue
        try:
            reports[name] = inspect(path)
        except ConfigError as error:
            place = f"nodes[{i}].params.model"
            problems += [Problem(place, f"'{name}' {p.message}") for p in error.problems]
    if problems:
        raise ConfigError(problems)
    return reports
