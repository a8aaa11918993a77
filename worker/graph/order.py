"""The order of a graph's nodes: who feeds whom, and that nothing feeds itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from worker.errors import Problem, nearest


def predecessors(
    ids: Sequence[str], links: Sequence[tuple[str, str]]
) -> tuple[dict[str, tuple[str, ...]], list[Problem]]:
    """Each node's direct predecessors, and what is wrong with ids and edges.

    Where there are problems, the mapping is partial. Cycles are `topological`'s business.
    """
    problems = []
    for i, name in enumerate(ids):
        if name in ids[:i]:
            problems.append(Problem(f"nodes[{i}].id", f"'{name}' is used twice; ids are unique"))
    before: dict[str, list[str]] = {name: [] for name in ids}
    for i, (left, right) in enumerate(links):
        unknown = [(j, end) for j, end in enumerate((left, right)) if end not in before]
        for j, end in unknown:
            problems.append(Problem(f"edges[{i}][{j}]", f"no node '{end}'{nearest(end, before)}"))
        if unknown:
            continue
        if left in before[right]:
            problems.append(Problem(f"edges[{i}]", f"'{left}' to '{right}' is given twice"))
        else:
            before[right].append(left)
    return {name: tuple(found) for name, found in before.items()}, problems


def topological(before: Mapping[str, Sequence[str]]) -> tuple[list[str], list[str]]:
    """The nodes so that each follows its predecessors, file order otherwise.

    Returns:
        The order, and the nodes on cycles or between two of them; empty for a DAG.
    """
    order: list[str] = []
    done: set[str] = set()
    waiting = list(before)
    while waiting:
        ready = next((name for name in waiting if done.issuperset(before[name])), None)
        if ready is None:
            return order, _without_ends(waiting, before)
        order.append(ready)
        done.add(ready)
        waiting.remove(ready)
    return order, []


def _without_ends(waiting: list[str], before: Mapping[str, Sequence[str]]) -> list[str]:
    """Takes out the nodes that only stand behind a cycle: nothing waits for them."""
    while True:
        feeders = {name for other in waiting for name in before[other]}
        kept = [name for name in waiting if name in feeders]
        if len(kept) == len(waiting):
            return kept
        waiting = kept
