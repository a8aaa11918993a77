"""What a model may not hold: data of other files, operators of other libraries, deep nesting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from onnx import AttributeProto, ModelProto, NodeProto, TensorProto

_OWN_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
"""Domains whose operators ONNX Runtime brings itself; its quantizer writes com.microsoft."""
_MOST_SHOWN = 5
_SHOWN_LENGTH = 100


def reasons_against(model: ModelProto, depth: int) -> list[str]:
    """Why a model must not even be loaded.

    Args:
        model: as parsed; nothing else is read.
        depth: how deep graphs may stand in the attributes of nodes.
    """
    external = [path for path, _ in external_tensors(model)]
    foreign: dict[str, None] = {}
    functions = {function.domain for function in model.functions}
    deepest = 0
    for _, message, level in _messages(model):
        deepest = max(deepest, level)
        if isinstance(message, NodeProto) and message.domain not in _OWN_DOMAINS | functions:
            foreign[f"{message.domain}.{message.op_type}"] = None
    reasons = []
    if external:
        reasons.append(f"holds tensor data outside the file: {_listed(external)}; save it whole")
    if foreign:
        reasons.append(f"uses operators of other libraries: {_listed(list(foreign))}")
    if deepest > depth:
        reasons.append(f"nests graphs {deepest} deep; at most {depth} are allowed")
    return reasons


def external_tensors(model: ModelProto) -> Iterator[tuple[str, TensorProto]]:
    """Every tensor whose data lie in another file, with its path."""
    for path, message, _ in _messages(model):
        if isinstance(message, TensorProto) and _is_external(message):
            yield path, message


def _messages(model: ModelProto) -> Iterator[tuple[str, Any, int]]:
    """Every part of a model with its path, and how many graphs are around it.

    By the format's own description and not by a list of places: initializers, sparse ones,
    attributes, subgraphs, functions, training, and whatever a later version adds.
    """
    waiting: list[tuple[str, Any, int]] = [("", model, 0)]
    while waiting:
        path, message, level = waiting.pop()
        yield path, message, level
        if isinstance(message, TensorProto):
            continue  # holds nothing but numbers, and reading them would copy them
        for field, value in message.ListFields():
            if field.message_type is None:
                continue
            place = f"{path}.{field.name}" if path else field.name
            nested = isinstance(message, AttributeProto) and field.name in ("g", "graphs")
            parts = [(place, value)]
            if not hasattr(value, "ListFields"):
                parts = [(f"{place}[{i}]", item) for i, item in enumerate(value)]
            waiting += [(below, part, level + nested) for below, part in parts]


def _is_external(tensor: TensorProto) -> bool:
    return tensor.data_location == TensorProto.EXTERNAL or len(tensor.external_data) > 0


def _listed(names: list[str]) -> str:
    shown = ", ".join(name[:_SHOWN_LENGTH] for name in names[:_MOST_SHOWN])
    return shown + (f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else "")
