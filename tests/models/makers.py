"""Small ONNX models, written in the test that needs them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from onnx import ModelProto, NodeProto, TensorProto, helper

FLOAT = TensorProto.FLOAT
TEXT = TensorProto.STRING

Value = tuple[int, Sequence[int | str | None]]
"""Element type and shape."""


def model(
    nodes: Sequence[NodeProto],
    inputs: dict[str, Value],
    outputs: dict[str, Any],
    initializers: Sequence[TensorProto] = (),
    *,
    opsets: dict[str, int] | None = None,
    **graph: Any,
) -> ModelProto:
    """A model; an output that is no `Value` is given as its finished value info."""
    infos = [
        helper.make_tensor_value_info(name, *value) if isinstance(value, tuple) else value
        for name, value in outputs.items()
    ]
    made = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, *value) for name, value in inputs.items()],
        infos,
        list(initializers),
        **graph,
    )
    versions = {"": 17, **(opsets or {})}
    return helper.make_model(
        made,
        opset_imports=[helper.make_opsetid(name, version) for name, version in versions.items()],
        ir_version=9,
    )


def saved(folder: Path, made: ModelProto, name: str = "m.onnx") -> Path:
    """The model as a file."""
    path = folder / name
    path.write_bytes(made.SerializeToString())
    return path


def identity(inputs: dict[str, Value] | None = None) -> ModelProto:
    """Gives what it gets: x becomes y."""
    value = (inputs or {"x": (FLOAT, [None, 2])})["x"]
    return model([helper.make_node("Identity", ["x"], ["y"])], {"x": value}, {"y": value})


def tensor(name: str, shape: Sequence[int], values: Sequence[float]) -> TensorProto:
    """A float32 constant."""
    return helper.make_tensor(name, FLOAT, list(shape), list(values))


def matmul(shape: Sequence[int | str | None], weights: TensorProto) -> ModelProto:
    """x times a constant of two dimensions."""
    return model(
        [helper.make_node("MatMul", ["x", weights.name], ["y"])],
        {"x": (FLOAT, shape)},
        {"y": (FLOAT, [shape[0], weights.dims[1]])},
        [weights],
    )
