"""Writes the small models of this folder; run it with ``python tests/data/make_models.py``.

Everything is seeded, so that a second run with the same libraries writes the same bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, checker, external_data_helper, helper, numpy_helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

FOLDER = Path(__file__).parent
SEED = 7
OPSET = 17
IR_VERSION = 8
FLOAT, DOUBLE, INT64, BOOL = (
    TensorProto.FLOAT,
    TensorProto.DOUBLE,
    TensorProto.INT64,
    TensorProto.BOOL,
)


def write(name: str, model: ModelProto) -> None:
    """Writes ``<name>.onnx`` once it is known to be a valid model."""
    # skl2onnx collects the operator sets in a set, whose order differs from process to process.
    operator_sets = sorted(model.opset_import, key=lambda item: item.domain)
    del model.opset_import[:]
    model.opset_import.extend(operator_sets)
    checker.check_model(model)
    (FOLDER / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))


def from_sklearn(name: str, estimator: Any, inputs: list[tuple[str, Any]], *, zipmap: bool) -> None:
    """Writes a fitted classifier with outputs ``label`` and probabilities."""
    model = convert_sklearn(
        estimator,
        name=name,
        initial_types=inputs,
        options={"zipmap": zipmap},
        target_opset={"": OPSET, "ai.onnx.ml": 3},
    )
    write(name, model)


def from_nodes(
    name: str,
    nodes: list[Any],
    inputs: dict[str, tuple[int, list[Any]]],
    outputs: dict[str, tuple[int, list[Any]]],
    constants: dict[str, NDArray[Any]] | None = None,
) -> ModelProto:
    """A model of ONNX operators, with element type and shape of each input and output."""
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info(key, *value) for key, value in inputs.items()],
        [helper.make_tensor_value_info(key, *value) for key, value in outputs.items()],
        [numpy_helper.from_array(value, key) for key, value in (constants or {}).items()],
    )
    operator_sets = [helper.make_opsetid("", OPSET)]
    return helper.make_model(graph, opset_imports=operator_sets, ir_version=IR_VERSION)


def samples(features: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """300 seeded rows, and a class that follows their sum with some noise."""
    random = np.random.default_rng(SEED)
    rows = random.normal(size=(300, features)).astype(np.float32)
    noise = random.normal(scale=0.3, size=len(rows))
    return rows, (rows.sum(axis=1) + noise > 0).astype(np.int64)


def classifiers() -> None:
    """lr, lr_zipmap: 2 features; trees: 4 features; text_input: a text and a number."""
    rows, classes = samples(2)
    regression = LogisticRegression().fit(rows, classes)
    inputs = [("X", FloatTensorType([None, 2]))]
    from_sklearn("lr", regression, inputs, zipmap=False)
    from_sklearn("lr_zipmap", regression, inputs, zipmap=True)

    rows, classes = samples(4)
    trees = GradientBoostingClassifier(n_estimators=20, random_state=SEED).fit(rows, classes)
    from_sklearn("trees", trees, [("X", FloatTensorType([None, 4]))], zipmap=False)

    rows, classes = samples(2)
    brands = np.where(rows[:, 0] > 0, "volkswagen", "skoda").astype(object)
    brands[::5] = "others"
    frame = pd.DataFrame({"brand": brands, "age": 40 + 10 * rows[:, 1]})
    one_hot = ("brand", OneHotEncoder(handle_unknown="ignore"), ["brand"])
    pipeline = make_pipeline(
        ColumnTransformer([one_hot], remainder="passthrough"), LogisticRegression(max_iter=1000)
    ).fit(frame, classes)
    named = [("brand", StringTensorType([None, 1])), ("age", FloatTensorType([None, 1]))]
    from_sklearn("text_input", pipeline, named, zipmap=False)


def several_tensors() -> None:
    """two_inputs: a and b give their sum and both; int_double: other element types."""
    nodes = [
        helper.make_node("Concat", ["a", "b"], ["both"], axis=1),
        helper.make_node("ReduceSum", ["both", "axes"], ["sum"], keepdims=1),
    ]
    model = from_nodes(
        "two_inputs",
        nodes,
        {"a": (FLOAT, ["N", 2]), "b": (FLOAT, ["N", 3])},
        {"sum": (FLOAT, ["N", 1]), "both": (FLOAT, ["N", 5])},
        {"axes": np.array([1], dtype=np.int64)},
    )
    write("two_inputs", model)

    nodes = [
        helper.make_node("Cast", ["count"], ["count_double"], to=DOUBLE),
        helper.make_node("Mul", ["count_double", "amount"], ["product"]),
        helper.make_node("Add", ["count", "count"], ["twice"]),
        helper.make_node("Greater", ["amount", "zero"], ["positive"]),
    ]
    model = from_nodes(
        "int_double",
        nodes,
        {"count": (INT64, ["N", 1]), "amount": (DOUBLE, ["N", 1])},
        {"product": (DOUBLE, ["N", 1]), "twice": (INT64, ["N", 1]), "positive": (BOOL, ["N", 1])},
        {"zero": np.zeros(1)},
    )
    write("int_double", model)


def shapes() -> None:
    """fixed_batch: four rows, no more and no less; image: one channel of 8x8 to ten scores."""
    random = np.random.default_rng(SEED)
    weights = np.array([[0.5], [-2.0]], dtype=np.float32)
    model = from_nodes(
        "fixed_batch",
        [helper.make_node("MatMul", ["X", "weights"], ["Y"])],
        {"X": (FLOAT, [4, 2])},
        {"Y": (FLOAT, [4, 1])},
        {"weights": weights},
    )
    write("fixed_batch", model)

    nodes = [
        helper.make_node("Conv", ["image", "kernels"], ["maps"], kernel_shape=[3, 3]),
        helper.make_node("Relu", ["maps"], ["active"]),
        helper.make_node("Flatten", ["active"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weights", "bias"], ["scores"]),
    ]
    constants = {
        "kernels": random.normal(size=(2, 1, 3, 3)).astype(np.float32),
        "weights": random.normal(scale=0.1, size=(72, 10)).astype(np.float32),
        "bias": random.normal(size=10).astype(np.float32),
    }
    model = from_nodes(
        "image",
        nodes,
        {"image": (FLOAT, ["N", 1, 8, 8])},
        {"scores": (FLOAT, ["N", 10])},
        constants,
    )
    write("image", model)


def troublesome() -> None:
    """nan: 0 gives NaN; index: breaks on all but 0 and 1; mean_coupled: couples its rows."""
    column = (FLOAT, ["N", 1])
    divide = helper.make_node("Div", ["X", "X"], ["Y"])
    write("nan", from_nodes("nan", [divide], {"X": column}, {"Y": column}))

    nodes = [
        helper.make_node("Cast", ["X"], ["place"], to=INT64),
        helper.make_node("Gather", ["table", "place"], ["Y"]),
    ]
    table = {"table": np.array([10, 20], dtype=np.float32)}
    write("index", from_nodes("index", nodes, {"X": column}, {"Y": column}, table))

    nodes = [
        helper.make_node("ReduceMean", ["X"], ["mean"], axes=[0], keepdims=1),
        helper.make_node("Sub", ["X", "mean"], ["Y"]),
    ]
    write("mean_coupled", from_nodes("mean_coupled", nodes, {"X": column}, {"Y": column}))


def endless() -> None:
    """endless: gives back what it gets, and never returns where a feature is above 1,000."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["again"], ["still"]),
            helper.make_node("Add", ["value", "nothing"], ["next"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", INT64, []),
            helper.make_tensor_value_info("again", BOOL, []),
            helper.make_tensor_value_info("value", FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("still", BOOL, []),
            helper.make_tensor_value_info("next", FLOAT, None),
        ],
    )
    nodes = [
        helper.make_node("ReduceMax", ["X"], ["largest"], keepdims=0),
        helper.make_node("Greater", ["largest", "bound"], ["hostile"]),
        helper.make_node("Where", ["hostile", "for_ever", "once"], ["turns"]),
        helper.make_node("Loop", ["turns", "yes", "X"], ["Y"], body=body),
    ]
    constants = {
        "bound": np.array(1_000, dtype=np.float32),
        "for_ever": np.array(2**62),
        "once": np.array(1),
        "yes": np.array(True),
        "nothing": np.array(0, dtype=np.float32),
    }
    column = (FLOAT, ["N", 1])
    write("endless", from_nodes("endless", nodes, {"X": column}, {"Y": column}, constants))


def external() -> None:
    """external: its weights lie in external.bin, which a worker must refuse to read."""
    model = from_nodes(
        "external",
        [helper.make_node("MatMul", ["X", "weights"], ["Y"])],
        {"X": (FLOAT, ["N", 2])},
        {"Y": (FLOAT, ["N", 1])},
        {"weights": np.array([[0.5], [-2.0]], dtype=np.float32)},
    )
    checker.check_model(model)
    weights = model.graph.initializer[0]
    (FOLDER / "external.bin").write_bytes(weights.raw_data)
    external_data_helper.set_external_data(weights, location="external.bin")
    weights.ClearField("raw_data")
    (FOLDER / "external.onnx").write_bytes(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    classifiers()
    several_tensors()
    shapes()
    troublesome()
    endless()
    external()
