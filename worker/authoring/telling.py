"""What the calls about services say beside what they return."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from worker.errors import ModelError
from worker.services.outcome import Outcome


def show(document: Mapping[str, Any]) -> None:
    """Prints the topics and the schema that a graph was given."""
    source, sink = document["source"]["topic"], document["sink"]["topic"]
    print(f"events: {source}, scored: {sink}, schema of an event:")
    print(json.dumps(document["source"]["schema"], indent=2, ensure_ascii=False))


def told(outcome: Outcome) -> str:
    """The URL; what is missing is said.

    Raises:
        ModelError: a worker could not load the graph.
    """
    if any(status.state == "failed" for status in outcome.statuses):
        raise ModelError(f"service '{outcome.service.id}': {outcome.problem}")
    if outcome.problem:
        print(f"service '{outcome.service.id}': {outcome.problem}")
    return outcome.url
