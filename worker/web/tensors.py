"""Tensors of the Open Inference Protocol from and to events; numbers keep their bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from worker.batch import ColumnType, DType
from worker.errors import nearest
from worker.schema import Schema
from worker.web.answers import Refusal
from worker.web.events import MALFORMED, assembled, few_enough, malformed
from worker.web.members import Members

DATATYPES = {
    DType.FLOAT32: "FP32",
    DType.FLOAT64: "FP64",
    DType.INT64: "INT64",
    DType.BOOL: "BOOL",
    DType.TEXT: "BYTES",
    DType.DATETIME: "BYTES",
}
_WHOLE = frozenset(f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64))
_TAKES = {
    DType.FLOAT64: _WHOLE | {"FP16", "FP32", "FP64"},
    DType.INT64: _WHOLE,
    DType.BOOL: frozenset({"BOOL"}),
    DType.TEXT: frozenset({"BYTES"}),
    DType.DATETIME: frozenset({"BYTES"}),
}
_only = msgspec.json.Decoder(tuple[msgspec.Raw]).decode
_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Tensor(msgspec.Struct):
    """One input of a request."""

    name: str
    shape: list[int]
    datatype: str
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class Wanted(msgspec.Struct):
    """One output that a request asks for."""

    name: str


class Inference(msgspec.Struct):
    """A request; what the protocol calls parameters is not read."""

    inputs: list[Tensor]
    id: str | None = None
    outputs: list[Wanted] | None = None


_inference = msgspec.json.Decoder(Inference).decode


def parsed(body: bytes) -> Inference:
    """The request.

    Raises:
        Refusal: 400.
    """
    try:
        return _inference(body)
    except MALFORMED as error:
        raise malformed(error, "see the Open Inference Protocol, version 2") from error


def described(columns: Mapping[str, ColumnType]) -> list[dict[str, Any]]:
    """The metadata of columns; -1 is the number of events."""
    return [
        {"name": name, "datatype": DATATYPES[kind.dtype], "shape": _shape(-1, kind)}
        for name, kind in columns.items()
    ]


def events(inputs: Sequence[Tensor], schema: Schema, most: int) -> list[bytes]:
    """The events whose declared fields are these inputs; one that is left out is missing.

    Raises:
        Refusal: 400 for every input that does not fit, 413 for too many events.
    """
    problems = []
    cells: dict[str, list[msgspec.Raw]] = {}
    sizes = {tensor.shape[0] if tensor.shape else 0 for tensor in inputs}
    if len(sizes) != 1 or min(sizes) < 1:
        problems.append("the inputs' first axis is the events: one number from 1 for all of them")
    few_enough(max(sizes, default=0), most)
    columns = schema.columns
    for tensor in inputs:
        try:
            if tensor.name in cells:
                raise ValueError("given twice")
            cells[tensor.name] = _cells(tensor, columns)
        except MALFORMED as error:
            problems.append(f"input '{tensor.name}': {error}")
        except ValueError as error:
            problems.append(f"input '{tensor.name}': {error}")
    if problems:
        raise Refusal(400, "; ".join(problems[:8]), hint="GET /v2/models/{name} tells the inputs")
    rows = zip(*cells.values(), strict=True)
    return assembled(schema, (dict(zip(cells, row, strict=True)) for row in rows))


def tensors(values: Sequence[bytes], fields: Mapping[str, ColumnType]) -> bytes:
    """The fields of scored values as a JSON list of tensors; the fields' own bytes."""
    rows = [_object(value) for value in values]
    return b"[" + b",".join(_tensor(name, kind, rows) for name, kind in fields.items()) + b"]"


def _tensor(name: str, kind: ColumnType, rows: Sequence[Mapping[str, msgspec.Raw]]) -> bytes:
    cells = [bytes(row[name]) for row in rows]
    if kind.length is not None:
        nothing = b",".join([b"null"] * kind.length)
        cells = [nothing if cell == b"null" else cell[1:-1] for cell in cells]
    head = {"name": name, "datatype": DATATYPES[kind.dtype], "shape": _shape(len(rows), kind)}
    return b'%b,"data":[%b]}' % (msgspec.json.encode(head)[:-1], b",".join(cells))


def _shape(n: int, kind: ColumnType) -> list[int]:
    return [n] if kind.length is None else [n, kind.length]


def _cells(tensor: Tensor, columns: Mapping[str, ColumnType]) -> list[msgspec.Raw]:
    """One value per event.

    Raises:
        ValueError: what does not fit.
    """
    kind = columns.get(tensor.name)
    if kind is None:
        raise ValueError(f"no declared field{nearest(tensor.name, columns)}")
    if tensor.datatype not in _TAKES[kind.dtype]:
        known = ", ".join(sorted(_TAKES[kind.dtype]))
        raise ValueError(f"datatype {tensor.datatype[:16]} for a field of {kind}; takes {known}")
    inner = ([], [1]) if kind.length is None else ([kind.length],)
    if not tensor.shape or tensor.shape[1:] not in inner:
        raise ValueError(f"shape {tensor.shape[:8]}, not {_shape(-1, kind)}")
    if tensor.data is msgspec.UNSET:
        raise ValueError("data is missing; binary tensors are not understood, send JSON")
    data = bytes(tensor.data)
    if data[:1] != b"[":
        raise ValueError("data is no list")
    cells, size = Members.of(data), kind.length
    nested = cells.first()[:1] == b"["
    flat = size is not None and not nested
    # Whether the last vector is whole is for the event's decoder to say.
    rows = -(-len(cells) // size) if flat and size else len(cells)
    if rows != tensor.shape[0]:
        raise ValueError(f"data for {rows} events, shape {tensor.shape[:8]}")
    if flat and size:
        return [msgspec.Raw(b"[%b]" % row) for row in cells.pieces(size)]
    if nested and size is None:
        return [_only(row)[0] for row in cells.pieces()]
    return list(map(msgspec.Raw, cells.pieces()))
