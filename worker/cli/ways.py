"""Prints ways through a graph: event field -> nodes -> where they end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from worker.cli.console import out, print_rows

if TYPE_CHECKING:
    from worker.graph.trace import ModelInput, Way

Group = tuple["tuple[Way, ...]", list[tuple[str, ...]]]
"""Ways, and the targets that all of them lead to, each as its cells."""

_INDENT = 4


def feature_groups(row: ModelInput) -> list[Group]:
    """The features of a model input; neighbours that come the same way stand together."""
    groups: list[Group] = []
    for feature in row.features:
        target = (f"-> {row.tensor.name}[{feature.position}]", feature.column, str(feature.type))
        if groups and groups[-1][0] == feature.ways:
            groups[-1][1].append(target)
        else:
            groups.append((feature.ways, [target]))
    return groups


def print_groups(groups: Sequence[Group]) -> None:
    """Ways and targets side by side, or below each other where the terminal is too narrow."""
    rows = side_by_side(groups)
    widths = [max(len(cell) for cell in cells) + 2 for cells in zip(*rows, strict=True)]
    if not out.is_terminal or _INDENT + sum(widths) <= out.width:
        print_rows(rows, ("cyan", "", "bold", "", "dim"), _INDENT)
        return
    for ways, targets in groups:
        for origin, nodes in _cells(ways):
            print_rows([(origin,)], ("cyan",), _INDENT)
            if nodes:
                print_rows([(nodes,)], (), _INDENT + 2)
        print_rows(targets, ("bold", "", "dim"), _INDENT + 2)


def side_by_side(groups: Sequence[Group]) -> list[tuple[str, ...]]:
    """Rows of origin, nodes and the target's cells; blank cells mean the same as above."""
    rows: list[tuple[str, ...]] = []
    for ways, targets in groups:
        cells = _cells(ways)
        blank = ("",) * len(targets[0])
        rows.append((*cells[0], *targets[0]))
        rows += [(*way, *blank) for way in cells[1:]]
        rows += [("", "", *target) for target in targets[1:]]
    return rows


def _cells(ways: tuple[Way, ...]) -> list[tuple[str, str]]:
    cells = [(way.origin, " ".join(f"-> {node}" for node in way.nodes)) for way in ways]
    return cells or [("(a constant)", "")]
