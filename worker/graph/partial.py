"""What is sound of a graph that is not: so that one mistake does not hide the others.

Unknown keys are left out and what is missing or misshaped gets a stand-in; what is then found wrong
counts only where no stand-in is to blame.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from worker.errors import Problem
from worker.graph.spec import GraphSpec, unwrap
from worker.problems import Location, dotted, locations_of

_SECTIONS = ("source", "sink", "delivery", "dead_letter")
_STAND_INS: Mapping[str, Any] = {
    "name": "unknown",
    "source": {"topic": "unknown-source", "schema": {}},
    "sink": {"topic": "unknown-sink"},
}


@dataclass(frozen=True, slots=True)
class Partial:
    """A graph with stand-ins.

    Attributes:
        spec: that can be checked further.
        wired: whether every edge is there; without, nobody knows which columns reach a node.
        edges: for each edge of ``spec`` its place in the file.
        blamed: paths at and below which nothing is told again.
    """

    spec: GraphSpec
    wired: bool
    edges: tuple[int, ...]
    blamed: frozenset[str]

    def own(self, problems: Iterable[Problem]) -> list[Problem]:
        """Those of the problems that no stand-in has made, with the paths of the file."""
        return [p for p in map(self._placed, problems) if p.file or not self._is_blamed(p.path)]

    def _placed(self, problem: Problem) -> Problem:
        head, bracket, rest = problem.path.partition("]")
        if problem.file or not bracket or not head.startswith("edges["):
            return problem
        place = self.edges[int(head.removeprefix("edges["))]
        return replace(problem, path=f"edges[{place}]{rest}")

    def _is_blamed(self, path: str) -> bool:
        return any(
            path == blamed or path.startswith((f"{blamed}.", f"{blamed}["))
            for blamed in self.blamed
        )


def sound_part(data: object) -> Partial | None:
    """The part of a refused graph that can be checked further; None where there are no nodes.

    Args:
        data: the graph, flat or in Adobe's envelope.
    """
    inner, _ = unwrap(data)
    if not isinstance(inner, Mapping):
        return None
    try:
        GraphSpec.model_validate(inner)
    except ValidationError as error:
        return _Repair(inner, locations_of(error, inner)).made()
    return None


class _Repair:
    """Takes out what is wrong, and notes what is no longer the author's."""

    def __init__(self, data: Mapping[str, Any], wrong: set[Location]) -> None:
        self._data, self._wrong = data, wrong
        self._blamed = {dotted(location) for location in wrong}

    def made(self) -> Partial | None:
        nodes, edges = self._data.get("nodes"), self._data.get("edges") or []
        if not isinstance(nodes, list) or not all(isinstance(node, dict) for node in nodes):
            return None
        given = {key: value for key, value in self._data.items() if (key,) not in self._wrong}
        for key in _SECTIONS:
            if isinstance(given.get(key), dict):
                given[key] = self._section(key, given[key])
        if not given.get("dead_letter"):
            given.pop("dead_letter", None)
        known = [i for i in range(len(edges)) if not self._is_wrong("edges", i)]
        if "edges" in given:
            given["edges"] = [edges[i] for i in known] if edges else given["edges"]
        ids = {f"nodes[{i}].id" for i in range(len(nodes))}
        wired = "edges" not in self._blamed and len(known) == len(edges)
        if ids & self._blamed:
            self._blamed.add("edges")
            wired = False
        given["nodes"] = [self._node(i, node) for i, node in enumerate(nodes)]
        try:
            spec = GraphSpec.model_validate({**_STAND_INS, **given})
        except ValidationError:
            return None
        return Partial(spec, wired, tuple(known), frozenset(self._blamed))

    def _is_wrong(self, *place: str | int) -> bool:
        """Whether something is wrong there, or inside of it."""
        return any(location[: len(place)] == place for location in self._wrong)

    def _section(self, key: str, given: Mapping[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in given.items() if not self._is_wrong(key, name)}
        if len(kept) < len(given):
            # An unknown key may have been meant for one that is not there.
            self._blamed |= {f"{key}.fields", *([key] if key == "dead_letter" else [])}
        return {**_STAND_INS.get(key, {}), **kept}

    def _node(self, i: int, given: Mapping[str, Any]) -> dict[str, Any]:
        others = {key: value for key, value in given.items() if key not in ("id", "type")}
        params = given.get("params", {})
        if self._is_wrong("nodes", i, "params") or ("params" not in given and others):
            self._blamed.add(f"nodes[{i}].params")
            params = others  # not valid, but they name the columns that may have changed
        return {
            "id": f"unknown-{i}" if self._is_wrong("nodes", i, "id") else given["id"],
            "type": "" if self._is_wrong("nodes", i, "type") else given["type"],
            "params": params,
        }
