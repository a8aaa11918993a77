"""Places the boxes of a directed acyclic graph in layers, from top to bottom.

The usual three steps (Sugiyama, Tagawa, Toda 1981): layers by the longest way from the top, an
order within each layer that crosses few edges, then positions near the neighbours'. An edge that
spans several layers takes a place in each of them, so that it runs between the boxes.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

_SWEEPS = 12

Edge = tuple[str, str]
# A place in a layer: a box by its name, or where an edge passes: the edge and the layer.
_Place = str | tuple[Edge, int]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything stands.

    Attributes:
        layers: number of layers.
        boxes: name -> (x of the middle, layer).
        edges: edge -> the (x, layer) it passes, from box to box.
    """

    layers: int
    boxes: Mapping[str, tuple[float, int]]
    edges: Mapping[Edge, Sequence[tuple[float, int]]]


def layout(
    widths: Mapping[str, float], edges: Sequence[Edge], gap: float, passing: float
) -> Layout:
    """Places boxes of these widths so that every edge points down.

    Args:
        widths: box -> its width, in topological order.
        edges: without cycles.
        gap: least distance between two boxes of a layer.
        passing: the width that an edge takes in the layers it passes; as wide as a box, branches
            of different length run straight.
    """
    ranks = _ranks(list(widths), edges)
    ways = {(a, b): _way(a, b, ranks) for a, b in edges}
    rows: list[list[_Place]] = [[] for _ in range(max(ranks.values()) + 1)]
    for name, rank in ranks.items():
        rows[rank].append(name)
    for (_, b), way in ways.items():
        for i, place in enumerate(way[1:-1], ranks[b] - len(way) + 2):
            rows[i].append(place)
    links = [link for way in ways.values() for link in pairwise(way)]
    above, below = _neighbours(rows, links)
    _order(rows, links, above, below)
    size = {place: passing for row in rows for place in row} | dict(widths)
    x = _positions(rows, above, below, size, gap)
    return Layout(
        len(rows),
        {name: (x[name], rank) for name, rank in ranks.items()},
        {
            edge: [(x[place], ranks[edge[0]] + i) for i, place in enumerate(way)]
            for edge, way in ways.items()
        },
    )


def places(names: Sequence[str], edges: Sequence[Edge]) -> int:
    """How many places the edges take in the layers: what the work of `layout` grows with."""
    ranks = _ranks(names, edges)
    return sum(ranks[b] - ranks[a] for a, b in edges)


def _ranks(names: Sequence[str], edges: Sequence[Edge]) -> dict[str, int]:
    """The layer of each box: one below the lowest above it, the last one if it feeds nothing."""
    ranks: dict[str, int] = {}
    before: dict[str, list[str]] = {name: [] for name in names}
    for a, b in edges:
        before[b].append(a)
    for name in names:
        ranks[name] = max((ranks[a] + 1 for a in before[name]), default=0)
    feeding = {a for a, _ in edges}
    return {name: rank if name in feeding else max(ranks.values()) for name, rank in ranks.items()}


def _way(a: str, b: str, ranks: Mapping[str, int]) -> list[_Place]:
    return [a, *(((a, b), rank) for rank in range(ranks[a] + 1, ranks[b])), b]


_Neighbours = dict[_Place, list[_Place]]


def _neighbours(
    rows: list[list[_Place]], links: list[tuple[_Place, _Place]]
) -> tuple[_Neighbours, _Neighbours]:
    above: _Neighbours = {place: [] for row in rows for place in row}
    below: _Neighbours = {place: [] for row in rows for place in row}
    for a, b in links:
        above[b].append(a)
        below[a].append(b)
    return above, below


def _order(
    rows: list[list[_Place]],
    links: list[tuple[_Place, _Place]],
    above: _Neighbours,
    below: _Neighbours,
) -> None:
    """Sorts each row by the mean of its neighbours' places, down and up, and keeps the best."""
    best, fewest = [list(row) for row in rows], _crossings(rows, links)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        side = above if down else below
        index = {place: i for row in rows for i, place in enumerate(row)}
        for row in rows if down else reversed(rows):
            means = {p: _mean([index[other] for other in side[p]], index[p]) for p in row}
            row.sort(key=means.__getitem__)
            index.update((place, i) for i, place in enumerate(row))
        crossings = _crossings(rows, links)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    for row, kept in zip(rows, best, strict=True):
        row[:] = kept


def _crossings(rows: list[list[_Place]], links: list[tuple[_Place, _Place]]) -> int:
    row_of = {place: r for r, row in enumerate(rows) for place in row}
    index = {place: i for row in rows for i, place in enumerate(row)}
    between: dict[int, list[tuple[int, int]]] = {}
    for a, b in links:
        between.setdefault(row_of[a], []).append((index[a], index[b]))
    return sum(map(_inversions, between.values()))


def _inversions(pairs: list[tuple[int, int]]) -> int:
    found, ends = 0, list[int]()
    for _, b in sorted(pairs):
        found += len(ends) - bisect_right(ends, b)
        insort(ends, b)
    return found


def _mean(values: list[int], default: float) -> float:
    return sum(values) / len(values) if values else default


def _positions(
    rows: list[list[_Place]],
    above: _Neighbours,
    below: _Neighbours,
    size: Mapping[_Place, float],
    gap: float,
) -> dict[_Place, float]:
    """x of each place: as near as possible to the mean of its neighbours', without overlaps."""
    x: dict[_Place, float] = {}
    for row in rows:
        x.update(zip(row, _spread([0.0] * len(row), row, size, gap), strict=True))
    for sweep in range(2 * _SWEEPS):
        side = above if sweep % 2 == 0 else below
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wanted = []
            for place in row:
                near = side[place] or [place]
                wanted.append(sum(x[other] for other in near) / len(near))
            x.update(zip(row, _spread(wanted, row, size, gap), strict=True))
    return x


def _spread(
    wanted: list[float], row: list[_Place], size: Mapping[_Place, float], gap: float
) -> list[float]:
    """The positions nearest to ``wanted`` (least squares) that keep order and distances.

    Less the distances this is isotonic regression: neighbours out of order are pooled.
    """
    offsets = [0.0]
    for a, b in pairwise(row):
        offsets.append(offsets[-1] + (size[a] + size[b]) / 2 + gap)
    pools: list[tuple[float, int]] = []
    for value, offset in zip(wanted, offsets, strict=False):
        mean, count = value - offset, 1
        while pools and pools[-1][0] > mean:
            other, n = pools.pop()
            mean, count = (other * n + mean * count) / (n + count), n + count
        pools.append((mean, count))
    flat = [mean for mean, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(flat, offsets, strict=False)]
