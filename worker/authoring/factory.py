"""NodeFactory: which nodes there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker.authoring.kinds import core_class
from worker.authoring.model_upload import ModelUpload
from worker.authoring.node import Node
from worker.authoring.scikit_learn import ScikitLearn
from worker.authoring.simulator import Simulator
from worker.authoring.split import Split
from worker.errors import ConfigError, Problem, nearest
from worker.nodes.registry import kinds

AUTHORING: dict[str, type[Node]] = {
    node.kind: node for node in (ModelUpload, ScikitLearn, Simulator, Split)
}
"""What only a notebook does; no part of a graph."""


class NodeFactory:
    """Finds nodes by their kind."""

    @staticmethod
    def discover_nodes() -> dict[str, str]:
        """Every node kind, also of installed packages, and where its class is imported from."""
        return {kind: f"worker.authoring.{kind}" for kind in sorted({*kinds(), *AUTHORING})}

    @staticmethod
    def node_class(kind: str) -> type[Node]:
        """The class of a kind.

        Raises:
            ConfigError: there is no such kind; the message has the nearest one.
        """
        if kind in AUTHORING:
            return AUTHORING[kind]
        if kind in kinds():
            return core_class(kind)
        hint = nearest(kind, [*kinds(), *AUTHORING])
        raise ConfigError(Problem("", f"no node kind '{kind}'{hint}"))

    @staticmethod
    def create(kind: str, params: Mapping[str, Any] | None = None) -> Node:
        """A node of a kind.

        Raises:
            ConfigError: there is no such kind, or its params are wrong.
        """
        return NodeFactory.node_class(kind)(params)
