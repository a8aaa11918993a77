"""Which event field each column of a table is, and how its cells become an event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from worker.errors import ConfigError, Problem, nearest
from worker.schema import Branch, Leaf, Schema, column_name

_LONG_NAME = 80

Path = tuple[str, ...]
Tree = dict[str, "Tree | int"]
"""Nested field names; an int is the position of a column."""


class Columns:
    """The columns of a table, by their headers.

    A declared field is named as in a graph: ``_tenant.userInfo.age``. Other headers are passed on,
    dots nesting them too.

    Attributes:
        leaves: the declared field of each column; None where it is not declared or an object.
        notes: what the reader should know about the columns.
    """

    def __init__(self, names: Sequence[str], schema: Schema, file: str) -> None:
        """Fits the headers to the schema.

        Raises:
            ConfigError: everything that does not fit.
        """
        declared = {column_name(path): (path, leaf) for path, leaf in schema.leaves()}
        self.leaves = [declared[name][1] if name in declared else None for name in names]
        self.notes: tuple[str, ...] = ()
        self._root = schema.root
        self._tree: Tree = {}
        problems: list[Problem] = []
        paths: list[Path] = []
        for i, name in enumerate(names):
            if not name:
                self.notes += (f"column {i + 1} has no name and is left out",)
                continue
            path = declared[name][0] if name in declared else tuple(name.split("."))
            paths.append(path)
            if not _add(self._tree, path, i):
                message = f"column '{name}' is there twice, or stands inside another column"
                problems.append(Problem("header", message, file))
            elif _at(schema.root, path) is None:
                note = f"column '{name}' is not declared in the schema and passed on as it is"
                self.notes += (note,)
        others = [name for name in names if name not in declared and 0 < len(name) < _LONG_NAME]
        for path in _required(schema.root, ()):
            if not any(path[: len(given)] == given for given in paths):
                name = column_name(path)
                message = f"no column '{name}', a required field{nearest(name, others)}"
                problems.append(Problem("header", message, file))
        if not problems and all(_at(schema.root, path) is None for path in paths):
            message = f"no column is a declared field{nearest('', declared)}"
            problems.append(Problem("header", message, file))
        if problems:
            raise ConfigError(problems)

    def event(self, cells: Sequence[Any]) -> dict[str, Any]:
        """The event of one row; a cell that is None leaves its field out."""
        return _filled(self._tree, cells, self._root)


def _add(tree: Tree, path: Path, column: int) -> bool:
    """Puts a column at its path, unless another one is there or on the way."""
    for part in path[:-1]:
        below = tree.setdefault(part, {})
        if isinstance(below, int):
            return False
        tree = below
    return tree.setdefault(path[-1], column) == column


def _filled(tree: Tree, cells: Sequence[Any], declared: Branch | Leaf | None) -> dict[str, Any]:
    event: dict[str, Any] = {}
    for name, below in tree.items():
        member = declared.members.get(name) if isinstance(declared, Branch) else None
        value = cells[below] if isinstance(below, int) else _filled(below, cells, member)
        must_be_there = member is not None and member.required
        if isinstance(below, int):
            kept = value is not None or (must_be_there and member is not None and member.nullable)
        else:
            kept = bool(value) or must_be_there
        if kept:
            event[name] = value
    return event


def _at(branch: Branch, path: Path) -> Branch | Leaf | None:
    found: Branch | Leaf | None = branch
    for part in path:
        found = found.members.get(part) if isinstance(found, Branch) else None
    return found


def _required(branch: Branch, path: Path) -> Iterator[Path]:
    """The fields without which every event would be a dead letter."""
    for name, member in branch.members.items():
        if member.required and isinstance(member, Leaf):
            yield (*path, name)
        elif member.required and isinstance(member, Branch) and not member.nullable:
            yield from _required(member, (*path, name))


def encode(event: Mapping[str, Any]) -> bytes:
    """The event as JSON bytes."""
    return _encode(event)


_encode = msgspec.json.Encoder(decimal_format="number").encode
