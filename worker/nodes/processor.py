"""Processor: a node kind of an installed package."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, StrictStr, ValidationError, field_validator

from worker.batch import Batch, ColumnType, DType
from worker.errors import ConfigError, nearest
from worker.nodes._names import MAX_ENTRIES
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature
from worker.nodes.registry import kinds
from worker.problems import problems_of

_DIRECT = frozenset({"ONNXNode", "Processor", "Route"})
"""Kinds whose models and topics the worker looks up under their own name."""


class ProcessorParams(Params):
    """The kind and its own params."""

    kind: StrictStr
    params: Annotated[dict[str, Any], Field(max_length=MAX_ENTRIES)] = Field(default_factory=dict)

    @field_validator("kind")
    @classmethod
    def _installed(cls, kind: str) -> str:
        if kind in _DIRECT:
            raise ValueError(f"{kind} is used by its own name, as the node's type")
        known = [name for name in kinds() if name not in _DIRECT]
        if kind not in known:
            hint = nearest(kind, known, limit=len(known))
            message = (
                f"no node kind '{kind}' is installed{hint}; a package adds one by an entry point"
            )
            raise ValueError(f"{message} of rtml.nodes")
        return kind


class Processor(Node[ProcessorParams]):
    """Runs the node ``kind`` that an installed package brings, with its ``params``.

    A package names its kinds by entry points of ``rtml.nodes``; a graph cannot import code. The
    worker's own kinds can be named too, but for those with models or topics.
    """

    Params = ProcessorParams
    EXAMPLE: ClassVar = Example(
        params={"kind": "Clip", "params": {"columns": ["age"], "lower": 18}},
        types={"age": ColumnType(DType.FLOAT64)},
        given={"age": [7.0, 31.0, None]},
        gives={"age": [18.0, 31.0, None]},
    )

    _node: Node[Any]

    def check(self, columns: Columns, context: Context) -> Signature:
        """Params and columns must be as the kind needs them."""
        kind = kinds()[self.params.kind]
        try:
            params = kind.Params.model_validate(self.params.params)
        except ValidationError as error:
            for problem in problems_of(error, kind.Params, self.params.params):
                columns.problem(f"params.{problem.path}", problem.message, sure=True)
            return Signature((), {})
        inner = Columns(columns, complete=columns.complete)
        try:
            self._node = kind(params, inner, context)
        except ConfigError as error:
            for problem in error.problems:
                columns.problem(problem.path, problem.message, sure=True)
            columns.guessed = True
            return Signature((), {})
        return self._node.signature

    @property
    def topics(self) -> tuple[str, ...]:
        """Those of the node inside."""
        return self._node.topics

    @property
    def models(self) -> dict[str, str]:
        """Those of the node inside."""
        return self._node.models

    def process(self, batch: Batch) -> Batch:
        """What the node inside does."""
        return self._node.process(batch)
