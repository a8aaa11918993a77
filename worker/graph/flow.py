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
    """

    types: Mapping[str, ColumnType]
    writers: Mapping[str, str]
    complete: bool = True


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
        for name, kind in flow.types.items():
            first = writers.setdefault(name, flow.writers[name])
            if complete and first != flow.writers[name]:
                conflicts.append(_conflict(name, first, flow.writers[name]))
            types.setdefault(name, kind)
    return Flow(types, writers, complete), conflicts


def _conflict(column: str, *writers: str) -> str:
    owners = " and from ".join(f"'{writer}'" if writer else "the source" for writer in writers)
    if column == TOPIC_COLUMN:
        return f"the topic comes from {owners}; Route once, behind the join"
    return f"column '{column}' comes from {owners}; Drop it in one branch"


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
