"""Which columns stand at a point of the graph, and what happens to them where branches meet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from worker.batch import ColumnType
from worker.nodes.base import TOPIC_COLUMN


@dataclass(frozen=True, slots=True)
class Flow:
    """The columns at one point of the graph.

    Attributes:
        types: by column.
        writers: id of the node that wrote each last, empty for the source.
        complete: False behind a node that could not be checked; more columns may be there.
        untyped: columns that are there, written by a node whose model could not be read.
    """

    types: Mapping[str, ColumnType]
    writers: Mapping[str, str]
    complete: bool = True
    untyped: frozenset[str] = frozenset()


def join(flows: Sequence[Flow]) -> tuple[Flow, list[str]]:
    """The columns of all branches together.

    Returns:
        The flow, and a message for each column that two branches have written last.
    """
    complete = all(flow.complete for flow in flows)
    types: dict[str, ColumnType] = {}
    writers: dict[str, str] = {}
    conflicts: list[str] = []
    for flow in flows:
        for name, writer in flow.writers.items():
            first = writers.setdefault(name, writer)
            if complete and first != writer:
                conflicts.append(_conflict(name, first, writer))
            if name in flow.types:
                types.setdefault(name, flow.types[name])
    untyped = frozenset().union(*(flow.untyped for flow in flows))
    types = {name: kind for name, kind in types.items() if name not in untyped}
    return Flow(types, writers, complete, untyped), conflicts


def _conflict(column: str, *writers: str) -> str:
    owners = " and from ".join(f"'{writer}'" if writer else "the source" for writer in writers)
    if column == TOPIC_COLUMN:
        return f"the topic comes from {owners}; Route once, behind the join"
    return f"column '{column}' comes from {owners}; Drop it in one branch"


def untyped(flow: Flow, columns: Iterable[str], writer: str) -> Flow:
    """Behind a node that could not be checked, but writes just these columns whatever they hold."""
    names = frozenset(columns)
    types = {name: kind for name, kind in flow.types.items() if name not in names}
    writers = {**flow.writers, **dict.fromkeys(names, writer)}
    return Flow(types, writers, flow.complete, flow.untyped | names)


def unsure(flow: Flow, params: object) -> Flow:
    """Behind a node that could not be checked: what its params name may have become anything."""
    named = set(words(params))
    types = {name: kind for name, kind in flow.types.items() if name not in named}
    return Flow(types, {name: flow.writers[name] for name in types}, complete=False)


def words(data: object) -> Iterable[str]:
    """Every text in the data, keys of mappings included."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping):
        yield from words([*data, *data.values()])
    elif isinstance(data, list):
        for item in data:
            yield from words(item)
