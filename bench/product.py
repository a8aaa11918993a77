"""The product: the worker as its users start it, with the graph of the benchmark."""

from __future__ import annotations

import sys
from pathlib import Path

GRAPH = Path(__file__).parent / "graphs" / "lr" / "graph.yaml"


def command(brokers: str, group: str) -> list[str]:
    """What starts it; everything that is not named has its default."""
    options = ["--brokers", brokers, "--group", group, "--http-port", "0"]
    return [sys.executable, "-m", "worker", "run", str(GRAPH), *options]
