"""What is written to the two topics: versions, services, and how workers get on with them.

The registry topic is compacted, and so never holds a service without its versions: a version has
a key of its own (``<id>/v<n>``) and never changes, the service (``<id>``) points to one of them.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

REGISTRY_TOPIC = "rtml-services"
STATUS_TOPIC = "rtml-status"
TOPICS = {
    REGISTRY_TOPIC: {"cleanup.policy": "compact"},
    # Workers say every few seconds that they are there: Kafka compacts closed segments only, and
    # who joins has to read the rest.
    STATUS_TOPIC: {
        "cleanup.policy": "compact,delete",
        "retention.ms": "86400000",
        "segment.ms": "600000",
        "min.cleanable.dirty.ratio": "0.1",
    },
}
"""With their configurations; each has one partition."""

Wanted = Literal["running", "paused"]
State = Literal["loading", "serving", "tripped", "paused", "failed"]
"""tripped: the version is loaded, and its circuit breaker lets no events flow."""


class _Record(BaseModel):
    # What a later release adds must not make a record unreadable for this one.
    model_config = ConfigDict(frozen=True, extra="ignore")


class Version(_Record):
    """One version of a service; never changed once it is written.

    Attributes:
        service: the id.
        number: 1, 2, ...
        graph: the whole graph file as data: schema inline, models as ``name@version``.
        digest: SHA-256 of the graph, hex.
        models: ``name@version`` -> SHA-256.
        created_ms: epoch milliseconds.
    """

    service: str
    number: int
    graph: dict[str, Any]
    digest: str
    models: dict[str, str]
    created_ms: int

    @property
    def key(self) -> str:
        """Its key in the registry topic."""
        return f"{self.service}/v{self.number}"


class Service(_Record):
    """A service: which version is to run where.

    Attributes:
        id: unique among all locations.
        name: of the graph.
        location: whose workers serve it.
        type: as Adobe's Real-time Machine Learning lists it.
        version: the version that is to run.
        wanted: whether it is to run at all.
        created_ms: epoch milliseconds.
        updated_ms: of the latest change.
        deprecated: whether it should be used no longer.
    """

    id: str
    name: str
    location: str
    type: Literal["edge", "hub"] = "edge"
    version: int
    wanted: Wanted = "running"
    created_ms: int
    updated_ms: int
    deprecated: bool = False


class Status(_Record):
    """How one worker gets on with one service.

    Attributes:
        service: the id.
        worker: the worker's id.
        version: the version it was told to serve.
        updated_ms: of the service's record that it acts on.
        state: how far it is with that.
        reason: why it failed or tripped.
        serving: the version that it serves meanwhile; None for none.
        at_ms: epoch milliseconds.
    """

    service: str
    worker: str
    version: int
    updated_ms: int
    state: State
    reason: str = ""
    serving: int | None = None
    at_ms: int

    @property
    def key(self) -> str:
        """Its key in the status topic."""
        return f"{self.service}@{self.worker}"


class Presence(_Record):
    """A worker that is there; written again and again, so that one that is gone is noticed.

    Attributes:
        worker: the worker's id.
        location: whose services it serves.
        url: under which its HTTP server is reached.
        at_ms: epoch milliseconds.
    """

    worker: str
    location: str
    url: str
    at_ms: int

    @property
    def key(self) -> str:
        """Its key in the status topic."""
        return f"@{self.worker}"
