"""What was found for the model that a graph names: a file of this machine, or reasons."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ModelFile:
    """What a node loads.

    Attributes:
        name: as lineage and metrics show it; ``name@version`` for a model of a store.
        path: where it lies.
        sha256: what it must have; empty where nobody has said.
        difference: how much an event's result was seen to depend on the events beside it, see
            `neighbours.Coupling`; None where nobody has tried.
    """

    name: str
    path: Path
    sha256: str = ""
    difference: float | None = None


@dataclass(frozen=True, slots=True)
class NoModel:
    """A model that cannot be had, or must not be used.

    Attributes:
        reasons: why, each a problem of its own.
    """

    reasons: tuple[str, ...]
