"""A model in double precision, as a reference for what float32 costs."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import AttributeProto, GraphProto, ModelProto, TensorProto, numpy_helper

_FLOAT, _DOUBLE = TensorProto.FLOAT, TensorProto.DOUBLE


def write_double(source: Path, target: Path) -> bool:
    """Writes the model with every float32 tensor as float64; the weights are the same numbers.

    Operators that know float32 only leave a model that does not load: then there is no reference.

    Returns:
        False where there is nothing to widen.
    """
    model = onnx.load(source)
    widened = _graph(model.graph)
    if widened:
        onnx.save(_untyped(model), target)
    return widened


def _graph(graph: GraphProto) -> bool:
    widened = False
    for item in graph.input:
        if item.type.tensor_type.elem_type == _FLOAT:
            item.type.tensor_type.elem_type = _DOUBLE
            widened = True
    for tensor in graph.initializer:
        _tensor(tensor)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.TENSOR:
                _tensor(attribute.t)
            elif attribute.type == AttributeProto.GRAPH:
                _graph(attribute.g)
            elif node.op_type == "Cast" and attribute.name == "to" and attribute.i == _FLOAT:
                attribute.i = _DOUBLE
    return widened


def _tensor(tensor: TensorProto) -> None:
    if tensor.data_type == _FLOAT:
        values = numpy_helper.to_array(tensor).astype("float64")
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


def _untyped(model: ModelProto) -> ModelProto:
    """Without declared types of what is computed: they follow from the inputs' types."""
    del model.graph.value_info[:]
    for item in model.graph.output:
        if item.type.tensor_type.elem_type == _FLOAT:
            item.ClearField("type")
    return model
