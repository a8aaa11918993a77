"""What is served right now: asked anew by every request, because services come and go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from worker.errors import nearest
from worker.graph.plan import Plan
from worker.web.answers import Refusal

SERVING = "serving"
"""The state of a service whose events flow; every other one is a word for people."""


@dataclass(frozen=True, slots=True)
class Served:
    """One service of this worker.

    Attributes:
        id: by which it is asked for.
        name: of its graph.
        plan: what scores.
        version: of the published service; None for a graph that was given to the worker.
        state: `SERVING`, or why its events do not flow; HTTP scores all the same.
        problem: why another version that is wanted is not served, or why events do not flow that
            could; empty if nothing is wrong.
    """

    id: str
    name: str
    plan: Plan
    version: int | None
    state: str
    problem: str = ""


class Catalogue(Protocol):
    """Knows the services of this worker."""

    def served(self) -> Mapping[str, Served]:
        """By id, as of now."""
        ...

    def resume(self, service: str) -> None:
        """Lets events of a service flow again whose circuit breaker is open."""
        ...


def find(catalogue: Catalogue, wanted: str) -> Served:
    """The service of this id, else the only one of this name.

    Raises:
        Refusal: 404 with the nearest id.
    """
    served = catalogue.served()
    if wanted in served:
        return served[wanted]
    named = [service for service in served.values() if service.name == wanted]
    if len(named) == 1:
        return named[0]
    if named:
        ids = ", ".join(service.id for service in named)
        raise Refusal(404, f"several services are called '{wanted}'", hint=f"use an id: {ids}")
    shown = wanted if len(wanted) <= 128 else wanted[:125] + "..."
    raise Refusal(
        404, f"no service '{shown}'{nearest(shown, served)}", hint="GET /services lists them"
    )
