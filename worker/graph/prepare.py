"""From a graph file to its plan: models are fetched from the store and inspected before.

The same for a graph of a folder and for one that comes from elsewhere and has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from worker.errors import ConfigError, Problem, StoreError
from worker.graph.partial import sound_part
from worker.graph.plan import Plan, plan
from worker.graph.spec import GraphSpec
from worker.models.file import ModelFile, NoModel
from worker.models.inspect import Report, inspect
from worker.models.store.names import is_reference
from worker.models.store.store import Store
from worker.nodes.base import own_path


@dataclass(slots=True)
class Found:
    """What is known of the models that a graph names, by their names in it.

    Attributes:
        models: files of this machine, or reasons.
        reports: what inspection says of them, by the names that lineage shows.
        failures: of the store.
    """

    models: dict[str, ModelFile | NoModel] = field(default_factory=dict)
    reports: dict[str, Report] = field(default_factory=dict)
    failures: list[StoreError] = field(default_factory=list)


def prepare(
    spec: GraphSpec,
    folder: Path | None,
    open_store: Callable[[], Store],
    *,
    inspected: bool = False,
) -> tuple[Plan, dict[str, Report]]:
    """The plan of a graph, and what inspection says of its models.

    An alias is resolved here, once: the plan names the version.

    Args:
        spec: the graph file.
        folder: its files lie in it; None where it has none.
        open_store: called where the graph names a model of the store.
        inspected: whether models beside the graph are first tried in a process of its own with
            limits; 0.4 s each. Without, a model that never returns hangs its loader. Those of the
            store were tried when they were pushed.

    Raises:
        ConfigError: every problem, with its path in the graph.
        StoreError: the only problem is that the store cannot be reached, or is damaged.
    """
    found = find(spec, open_store)
    if inspected and folder is not None:
        _inspect(spec, folder, found)
    try:
        return plan(spec, folder, found.models), found.reports
    except ConfigError as error:
        failed = {str(failure): failure for failure in found.failures}
        if all(problem.message in failed for problem in error.problems):
            again = all(failure.retriable for failure in found.failures)
            raise StoreError(str(error), retriable=again) from error
        raise


def further_problems(
    data: object, folder: Path | None, open_store: Callable[[], Store]
) -> list[Problem]:
    """What else is wrong with a graph that `worker.graph.spec.parse` refuses.

    Args:
        data: the graph, flat or in Adobe's envelope.
        folder: its files lie in it; None where it has none.
        open_store: called where the graph names a model of the store.

    Returns:
        Problems with their paths in the graph itself; none that comes of what was told already.
    """
    partial = sound_part(data)
    if partial is None:
        return []
    try:
        plan(partial.spec, folder, find(partial.spec, open_store).models, wired=partial.wired)
    except ConfigError as error:
        return partial.own(error.problems)
    return []


def find(spec: GraphSpec, open_store: Callable[[], Store]) -> Found:
    """Fetches and verifies every model of the store that the graph names."""
    found = Found()
    wanted = [name for name in _models(spec) if is_reference(name)]
    if not wanted:
        return found
    try:
        store = open_store()
    except ConfigError as error:
        reasons = tuple(str(problem) for problem in error.problems)
        found.models = dict.fromkeys(wanted, NoModel(reasons))
        return found
    for name in wanted:
        found.models[name] = _fetched(store, name, found)
    return found


def _fetched(store: Store, name: str, found: Found) -> ModelFile | NoModel:
    if any(failure.retriable for failure in found.failures):  # asking would take as long again
        return NoModel((str(found.failures[-1]),))
    try:
        entry = store.find(name)
        file = store.fetch(entry)
    except ConfigError as error:
        return NoModel(tuple(problem.message for problem in error.problems))
    except StoreError as error:
        found.failures.append(error)
        return NoModel((str(error),))
    found.reports[file.name] = entry.report
    return file


def _inspect(spec: GraphSpec, folder: Path, found: Found) -> None:
    """Inspects the models that lie beside the graph; the plan tells of those that do not."""
    for name in _models(spec):
        path = None if is_reference(name) else own_path(name, folder)
        if path is None or not path.is_file():
            continue
        try:
            report = found.reports[name] = inspect(path)
            found.models[name] = ModelFile(name, path, report.sha256, report.batch_difference)
        except ConfigError as error:
            found.models[name] = NoModel(tuple(f"'{name}' {p.message}" for p in error.problems))


def _models(spec: GraphSpec) -> Iterator[str]:
    """What the nodes that run a model name as theirs, each once."""
    runs = [node.params for node in spec.nodes if node.type == "ONNXNode"]
    named = (params.get("model", params.get("model_id")) for params in runs)
    yield from dict.fromkeys(name for name in named if isinstance(name, str))
