"""What the calls about services say beside what they return."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from worker.errors import ConfigError, ModelError
from worker.services import deploy
from worker.services.journal import Journal
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


async def deleted(journal: Journal, service_id: str, wait_s: float) -> bool:
    """Whether a service was there, and is gone; why not is said.

    Raises:
        TransportError: Kafka cannot be reached.
    """
    try:
        outcome = await deploy.delete(journal, service_id, wait_s=wait_s)
    except ConfigError as error:  # there is none of that id
        print(error)
        return False
    if outcome.problem:
        print(f"service '{service_id}': {outcome.problem}")
    return outcome.reached
