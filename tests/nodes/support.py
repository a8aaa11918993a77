"""How node tests build and run one node."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from worker.batch import Batch, Column, ColumnType, DType
from worker.nodes.base import Columns, Context, Node
from worker.nodes.registry import kinds

DATA = Path(__file__).parent.parent / "data"
"""Small models and files that tests share; the folder of `ONNXNode`'s EXAMPLE."""


def columns_of(types: Mapping[str, ColumnType | DType], given: Mapping[str, list[Any]]) -> Batch:
    """A batch of typed columns from Python values, None where missing; n = 0 works."""
    made = {}
    for name, given_type in types.items():
        declared = given_type if isinstance(given_type, ColumnType) else ColumnType(given_type)
        if declared.length is not None and not given[name]:
            made[name] = Column(np.empty((0, declared.length), dtype=declared.numpy))
        else:
            made[name] = Column.of(given[name], declared.dtype)
    return Batch.of(made)


def build(
    kind: str, params: Mapping[str, Any], types: Mapping[str, ColumnType | DType]
) -> Node[Any]:
    """The node as the plan builds it: params validated, columns checked."""
    node = kinds()[kind]
    typed = {n: t if isinstance(t, ColumnType) else ColumnType(t) for n, t in types.items()}
    return node(node.Params.model_validate(dict(params)), Columns(typed), Context(folder=DATA))


def run(
    kind: str,
    params: Mapping[str, Any],
    types: Mapping[str, ColumnType | DType],
    given: Mapping[str, list[Any]],
) -> Batch:
    """One node over one batch; marks are left in the result."""
    return build(kind, params, types).process(columns_of(types, given))
