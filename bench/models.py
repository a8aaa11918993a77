"""Models for the workloads, seeded; what they predict does not matter here."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from graphs.making import to_model

SEED = 0
ROWS = 2_000
DEPTH = 5
LAYERS = (32, 32, 32, 32, 10)
OPSET, IR_VERSION = 17, 8


def logistic(columns: int) -> bytes:
    """A logistic regression on so many numbers."""
    return _fitted(LogisticRegression(random_state=SEED), columns)


def trees(columns: int, n: int) -> bytes:
    """So many boosted trees of depth 5."""
    boosted = GradientBoostingClassifier(n_estimators=n, max_depth=DEPTH, random_state=SEED)
    return _fitted(boosted, columns)


def network(width: int, layers: Sequence[int] = LAYERS) -> bytes:
    """Dense layers with ReLU between them and a softmax at the end."""
    rng = np.random.default_rng(SEED)
    nodes: list[NodeProto] = []
    weights: list[TensorProto] = []
    last = "features"
    for i, (inner, outer) in enumerate(pairwise((width, *layers))):
        scaled = rng.normal(scale=inner**-0.5, size=(inner, outer)).astype(np.float32)
        weights.append(numpy_helper.from_array(scaled, f"w{i}"))
        weights.append(numpy_helper.from_array(np.zeros(outer, dtype=np.float32), f"b{i}"))
        nodes.append(helper.make_node("Gemm", [last, f"w{i}", f"b{i}"], [f"dense{i}"]))
        last_one = i == len(layers) - 1
        kind, last = ("Softmax", "probabilities") if last_one else ("Relu", f"layer{i}")
        nodes.append(helper.make_node(kind, [f"dense{i}"], [last]))
    given = helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, width])
    found = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, layers[-1]])
    graph = helper.make_graph(nodes, "network", [given], [found], weights)
    made: ModelProto = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )
    content: bytes = made.SerializeToString()
    return content


def _fitted(estimator: Any, columns: int) -> bytes:
    rng = np.random.default_rng(SEED)
    rows = rng.normal(size=(ROWS, columns)).astype(np.float32)
    classes = (rows @ rng.normal(size=columns) + rng.normal(size=ROWS) > 0).astype(np.int64)
    model = to_model(estimator.fit(rows, classes), "features", columns, zipmap=False)
    content: bytes = model.SerializeToString(deterministic=True)
    return content
