"""A model on this machine's disk, under the name it is to be known by."""

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
    """

    name: str
    path: Path
    sha256: str = ""
