"""Sample data of a notebook as columns: JSON text or data, records or column-oriented."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from worker.batch import DType
from worker.errors import ConfigError, Problem
from worker.graph.spec import NodeSpec
from worker.schema import column_name, path_of

Cells = dict[str, list[Any]]
"""Column -> its values, None where an event has none; all of one length."""


def columns_of(payload: object) -> Cells:
    """The columns of a list of events, of one event, or of ``{column: {row: value}}``.

    Nested objects of events become columns by their dotted path; names that are dotted already
    are paths. A row that a column lacks is missing there.

    Raises:
        ConfigError: it is no JSON, or neither of these.
    """
    if isinstance(payload, (str, bytes)):
        try:
            payload = json.loads(payload)
        except (ValueError, RecursionError) as error:
            raise _refused(f"is no JSON: {error}") from error
    if isinstance(payload, list):
        return _from_events(payload)
    if not isinstance(payload, Mapping):
        raise _refused("is neither a list of events nor columns")
    table = _table(payload)
    return _from_events([payload]) if table is None else table


def is_table(data: Mapping[Any, Any]) -> bool:
    """Whether it is ``{column: {row: value}}`` and no event: rows have numbers, fields names."""
    columns = list(data.values())
    if not all(isinstance(column, Mapping) for column in columns):
        return False
    labels = {str(row) for column in columns for row in column}
    return bool(labels) and all(label.isdecimal() for label in labels)


def _table(data: Mapping[Any, Any]) -> Cells | None:
    """``{column: {row: value}}`` or ``{column: [value, ...]}``; None where it is an event."""
    columns = list(data.values())
    if is_table(data):
        rows = dict.fromkeys(str(row) for column in columns for row in column)
        cells = {name: {str(row): v for row, v in column.items()} for name, column in data.items()}
        return {str(name): [found.get(row) for row in rows] for name, found in cells.items()}
    if columns and all(isinstance(column, list) for column in columns):
        lengths = {name: len(column) for name, column in data.items()}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"'{name}' has {n} rows" for name, n in lengths.items())
            raise _refused(f"has columns of several lengths: {told}")
        return {str(name): list(column) for name, column in data.items()}
    return None


def _from_events(events: list[Any]) -> Cells:
    rows: list[dict[str, Any]] = []
    for event in events:
        if not isinstance(event, Mapping):
            raise _refused("has an event that is no object")
        rows.append(flat(event))
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def flat(event: Mapping[Any, Any]) -> dict[str, Any]:
    """The values of an event by their columns' names.

    Raises:
        ConfigError: two of them have one name.
    """
    found: dict[str, Any] = {}
    for name, value in _flat(event, ()):
        if name in found:
            raise _refused(f"has an event with two values of '{name}', one dotted and one nested")
        found[name] = value
    return found


def _flat(event: Mapping[Any, Any], path: tuple[str, ...]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in event.items():
        below = (*path, str(key))
        if isinstance(value, Mapping):
            below = below if path else path_of(str(key))
            found += _flat(value, below)
        else:
            # A flat event of a notebook already has dotted names.
            name = below[0] if len(below) == 1 else column_name(below)
            found.append((name, value))
    return found


def samples(nodes: Iterable[NodeSpec]) -> Cells:
    """The columns of every sample that a graph holds."""
    found: Cells = {}
    for node in nodes:
        payload = node.params.get("json_payload")
        if node.type == "JsonToDataframe" and payload:
            found |= columns_of(payload)
    return found


def without_payload(document: Mapping[str, Any]) -> dict[str, Any]:
    """A graph file's data without the samples: rows of people do not belong into a registry."""
    nodes = [
        {
            **node,
            "params": {k: v for k, v in node.get("params", {}).items() if k != "json_payload"},
        }
        if node.get("type") == "JsonToDataframe"
        else node
        for node in document["nodes"]
    ]
    return {**document, "nodes": nodes}


def dtype_of(cells: list[Any]) -> DType | None:
    """The type that all values have: text, bool, or float64 for numbers; None where they differ."""
    kinds = {_kind(cell) for cell in cells if cell is not None}
    return kinds.pop() if len(kinds) == 1 else None


def _kind(cell: Any) -> DType | None:
    if isinstance(cell, bool):
        return DType.BOOL
    if isinstance(cell, (int, float)):
        return DType.FLOAT64
    return DType.TEXT if isinstance(cell, str) else None


def _refused(message: str) -> ConfigError:
    return ConfigError(Problem("json_payload", message))
