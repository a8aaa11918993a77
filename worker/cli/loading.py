"""From a GRAPH argument to a plan, its problems with file and line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worker.errors import ConfigError, Problem

if TYPE_CHECKING:
    from worker.graph.plan import Plan

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
    """A valid graph and the file it stands in."""

    path: Path
    plan: Plan


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


def load_graph(argument: Path) -> Loaded:
    """The graph, checked in both phases.

    Raises:
        ConfigError: every problem, with file and line.
    """
    from worker.graph.plan import plan
    from worker.graph.spec import load, prefix_of

    path = graph_path(argument)
    spec, document = load(path)
    try:
        return Loaded(path, plan(spec, path.parent))
    except ConfigError as error:
        prefix = prefix_of(document.data)
        inner = [p.within(prefix) if prefix and not p.file else p for p in error.problems]
        raise ConfigError(p if p.file else document.locate(p) for p in inner) from error
