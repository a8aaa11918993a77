"""Which columns somebody reads: the others need be neither built nor taken along."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from worker.nodes.base import TOPIC_COLUMN, Node


def wanted(nodes: Iterable[Node[Any]], fields: Iterable[str]) -> frozenset[str]:
    """What any of the nodes reads, or the sink writes."""
    return frozenset(fields).union(*(node.signature.reads for node in nodes))


def needed_behind(nodes: Sequence[Node[Any]], fields: Collection[str]) -> list[frozenset[str]]:
    """For each of the nodes, which stand in their order, what is needed after it.

    Branches are not told apart: what a node needs counts for all that stand before it.
    """
    needed = frozenset([*fields, TOPIC_COLUMN])
    found = []
    for node in reversed(nodes):
        found.append(needed)
        needed = needed.union(node.signature.reads)
    return found[::-1]
