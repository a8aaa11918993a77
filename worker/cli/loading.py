"""From a GRAPH argument to a plan, its problems with file and line."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.store_options import store_for
from worker.errors import ConfigError, Problem, StoreError

if TYPE_CHECKING:
    from worker.graph.plan import Plan
    from worker.graph.text import Document
    from worker.models.inspect import Report
    from worker.models.store.store import Store
    from worker.settings import Settings

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
        models: what inspection says of each model, where it was asked.
    """

    path: Path
    plan: Plan
    models: Mapping[str, Report] = field(default_factory=dict)

    @property
    def files(self) -> tuple[Path, ...]:
        """The graph, and what belongs to it: its schema, its models, its cases."""
        from worker.graph.cases import FILE

        spec, folder = self.plan.spec, self.path.parent
        schema = spec.source.event_schema
        named = [schema, *(node.params.get("model") for node in spec.nodes)]
        beside = [folder / name for name in named if isinstance(name, str)]
        return self.path, folder / FILE, *beside


def graph_path(argument: Path) -> Path:
    """The graph file that an argument means: itself, or the one in the folder.

    Raises:
        ConfigError: a folder without one, or nothing is there.
    """
    if not argument.exists():
        raise ConfigError(
            Problem("", f"cannot be read: {os.strerror(errno.ENOENT)}", str(argument))
        )
    if not argument.is_dir():
        return argument
    path = argument / GRAPH_FILE
    if not path.is_file():
        raise ConfigError(Problem("", f"there is no {GRAPH_FILE} in this folder", str(argument)))
    return path


def load_graph(argument: Path, *, inspected: bool = False, threads: int | None = None) -> Loaded:
    """The graph, checked in both phases.

    Args:
        argument: a graph file, or a folder with one.
        inspected: whether each model beside the graph is first tried in a process of its own with
            limits; 0.4 s each. Without, a model that never returns hangs its loader.
        threads: of a model run; None is what RTML_MODEL_THREADS says.

    Raises:
        ConfigError: every problem, with file and line.
        StoreError: the only problem is that the model store cannot be reached.
    """
    from worker import bounds
    from worker.graph.prepare import further_problems, prepare
    from worker.graph.spec import parse
    from worker.graph.text import read
    from worker.models import accepted
    from worker.models.threads import use
    from worker.places import accepted_folder

    settings = _settings()
    bounds.use(settings)
    accepted.use(accepted_folder(os.environ))
    use(settings.model_threads if threads is None else threads)
    path = graph_path(argument)
    document = read(path)
    try:
        spec = parse(document.data)
    except ConfigError as error:
        others = further_problems(document.data, path.parent, _open_store)
        told = [*error.problems, *_inner(others, document)]
        raise ConfigError(p if p.file else document.locate(p) for p in told) from error
    try:
        plan, models = prepare(spec, path.parent, _open_store, inspected=inspected)
        return Loaded(path, plan, models)
    except StoreError as error:
        raise StoreError(f"{path} {error}", retriable=error.retriable) from error
    except ConfigError as error:
        told = _inner(error.problems, document)
        raise ConfigError(p if p.file else document.locate(p) for p in told) from error


def _settings() -> Settings:
    """What the settings say of models and limits; the others do not matter here, nor are asked."""
    from worker.bounds import Bounds
    from worker.settings import PREFIX, load

    names = [PREFIX + name.upper() for name in ("model_threads", *Bounds.model_fields)]
    return load({name: os.environ.get(name, "") for name in names}, {})[0]


def _inner(problems: Iterable[Problem], document: Document) -> list[Problem]:
    """With their paths in the file, also where the graph is in an envelope there."""
    from worker.graph.spec import prefix_of

    prefix = prefix_of(document.data)
    return [p.within(prefix) if prefix and not p.file else p for p in problems]


def _open_store() -> Store:
    return store_for(None)
