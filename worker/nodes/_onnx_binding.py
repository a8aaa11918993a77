"""How an ONNX model's inputs are fed by columns, and its outputs become columns."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from worker.batch import FLOATS, ColumnType, DType
from worker.errors import nearest
from worker.models.session import Session
from worker.models.tensors import Tensor
from worker.nodes.base import Columns

Features = list[str] | dict[str, str | list[str]]
"""Columns in the model's order, or model input -> columns."""

Wanted = list[tuple[str, str]]
"""(path of the param, column) of what feeds one input, in order."""

_SELECTOR = re.compile(r"(?P<name>.+?)(?:\[(?P<index>\d{1,9})\])?")
_LOSSLESS: dict[str, frozenset[DType]] = {
    "float32": FLOATS | {DType.INT64, DType.BOOL},
    "float64": FLOATS | {DType.INT64, DType.BOOL},
    "int64": frozenset({DType.INT64, DType.BOOL}),
    "int32": frozenset({DType.INT64, DType.BOOL}),
    "bool": frozenset({DType.BOOL}),
    "object": frozenset({DType.TEXT}),
}
"""Column dtypes that may feed a tensor; float64 to float32 is the usual rounding of features."""
_OUTPUT_DTYPES = {
    "float32": DType.FLOAT32,
    "float64": DType.FLOAT64,
    "int64": DType.INT64,
    "int32": DType.INT64,
    "bool": DType.BOOL,
    "object": DType.TEXT,
}


@dataclass(frozen=True, slots=True)
class Feed:
    """One model input, its columns side by side, reshaped to the input's axes."""

    tensor: Tensor
    columns: tuple[str, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Pick:
    """One output column: a whole model output, or one column of it, as ``selector`` says."""

    column: str
    selector: str
    output: str
    index: int | None
    type: ColumnType


def feeds(columns: Columns, session: Session, features: Features) -> list[Feed]:
    """What feeds each model input; what does not fit is noted in ``columns``."""
    wanted = _assignment(columns, session.inputs, features)
    return [_feed(columns, session.inputs[name], columns_) for name, columns_ in wanted.items()]


def named(features: Features) -> Wanted:
    """Every column that the features name, whatever the model is."""
    if isinstance(features, list):
        return [(f"features[{i}]", name) for i, name in enumerate(features)]
    found: Wanted = []
    for key, given in features.items():
        path = f"features.{key}"
        several = [(f"{path}[{i}]", name) for i, name in enumerate(given)]
        found += [(path, given)] if isinstance(given, str) else several
    return found


def check_names(columns: Columns, features: Features, known: Sequence[str]) -> None:
    """Features in another order fit the model's shape as well, and score something else."""
    if not isinstance(features, list) or len(features) != len(known) or features == list(known):
        return
    way_out = "feature_names: ignore, if the columns are those under other names"
    if sorted(features) == sorted(known):
        order = ", ".join(known[:8]) + (", ..." if len(known) > 8 else "")
        columns.problem("features", f"the model's order is {order}; or set {way_out}")
        return
    for i, (name, wanted) in enumerate(zip(features, known, strict=True)):
        if name != wanted:
            message = f"'{name}' stands where the model has '{wanted}'; or set {way_out}"
            columns.problem(f"features[{i}]", message)


def _assignment(
    columns: Columns, inputs: Mapping[str, Tensor], features: Features
) -> dict[str, Wanted]:
    """Input name -> what feeds it."""
    if isinstance(features, list):
        listed = [(f"features[{i}]", name) for i, name in enumerate(features)]
        if len(inputs) == 1:
            return {next(iter(inputs)): listed}
        if sorted(features) == sorted(inputs):
            return {name: [(path, name)] for path, name in listed}
        names = ", ".join(f"{name} {tensor}" for name, tensor in inputs.items())
        columns.problem("features", f"the model has several inputs ({names}); map each of them")
        return {}
    found = {}
    for name, given in features.items():
        if name not in inputs:
            columns.problem(f"features.{name}", f"no such model input{nearest(name, inputs)}")
            continue
        path = f"features.{name}"
        if isinstance(given, str):
            found[name] = [(path, given)]
        else:
            found[name] = [(f"{path}[{i}]", column) for i, column in enumerate(given)]
    for name, tensor in inputs.items():
        if name not in features and len(found) == len(features):  # else it may just be misspelt
            columns.problem("features", f"model input '{name}' {tensor} is fed by nothing")
    return found


def _feed(columns: Columns, tensor: Tensor, wanted: Wanted) -> Feed:
    allowed = _LOSSLESS[str(tensor.dtype)]
    kinds = [columns.need(path, name, allowed, vector=None) for path, name in wanted]
    names = tuple(name for _, name in wanted)
    width = sum(kind.length or 1 for kind in kinds)
    known = math.prod(size for size in tensor.shape if size is not None)
    free = tensor.shape.count(None)
    if known == 0 or free > 1 or (width % known if free else width != known):
        columns.problem(
            "features",
            f"{width} values per event do not fit model input '{tensor.name}' {tensor}",
        )
        return Feed(tensor, names, (width,))
    return Feed(tensor, names, tuple(size or width // known for size in tensor.shape))


def picks(columns: Columns, session: Session, outputs: Mapping[str, str]) -> list[Pick]:
    """The columns that the outputs become; what does not exist is noted in ``columns``."""
    made = [_pick(columns, session, column, selector) for column, selector in outputs.items()]
    return [pick for pick in made if pick is not None]


def _pick(columns: Columns, session: Session, column: str, selector: str) -> Pick | None:
    path = f"outputs.{column}"
    match = _SELECTOR.fullmatch(selector)
    name, index = (match["name"], match["index"]) if match else (selector, None)
    if selector in (*session.outputs, *session.refused):
        name, index = selector, None
    if name in session.refused:
        columns.problem(path, session.refused[name])
        return None
    if name not in session.outputs:
        hint = nearest(name, session.outputs)
        columns.problem(path, f"the model has no output '{name}'{hint}")
        return None
    tensor = session.outputs[name]
    dtype = _OUTPUT_DTYPES.get(str(tensor.dtype))
    if dtype is None:
        columns.problem(path, f"output '{name}' is {tensor}, which no column can hold")
        return None
    width = math.prod(size or 0 for size in tensor.shape)
    if int(index or 0) >= width:
        columns.problem(path, f"output '{name}' is {tensor}: {selector} is past its end")
        return None
    if index is not None or width == 1:
        return Pick(column, selector, name, int(index or 0), ColumnType(dtype))
    return Pick(column, selector, name, None, ColumnType(dtype, width))
