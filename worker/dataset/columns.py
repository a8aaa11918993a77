"""Which event field each column of a table is, and how its cells become an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from worker.dataset.cells import Convert, converter, guessed
from worker.dataset.shape import KINDS, Path, Shape
from worker.errors import ConfigError, Problem, nearest
from worker.schema import column_name, path_of

_LONG_NAME = 80

Tree = dict[str, "Tree | int"]
"""Nested field names; an int is the position of a column."""


class Columns:
    """The columns of a table, by their headers.

    A field is named as in a graph: ``_tenant.userInfo.age``, or by its JSON Pointer. Fields that
    are not declared are passed on, dots nesting them too.

    Attributes:
        convert: how the cells of each column are read where they are text.
        as_text: whether text that stands in a column is a value of its own.
        whole: whether numbers in it are whole ones only.
        notes: what the reader should know about the columns.
    """

    def __init__(self, names: Sequence[str], shape: Shape | None, file: str) -> None:
        """Fits the headers to the shape of an event; without one, cells are guessed.

        Raises:
            ConfigError: everything that does not fit.
        """
        self.notes: tuple[str, ...] = ()
        self._names, self._file = names, file
        tree: Tree = {}
        problems: list[Problem] = []
        paths: list[Path] = []
        for i, name in enumerate(names):
            if not name:
                self.notes += (f"column {i + 1} has no name and is left out",)
                continue
            paths.append(path_of(name))
            if not _add(tree, paths[-1], i):
                message = f"column '{name}' is there twice, or stands inside another column"
                problems.append(Problem("header", message, file))
        if not paths:
            problems.append(Problem("header", "names no column", file))
        shapes = [shape.at(path_of(name)) if shape and name else None for name in names]
        if shape is not None:
            problems += self._misfits(shape, shapes, paths)
        if problems:
            raise ConfigError(problems)
        self.convert: list[Convert] = (
            [guessed] * len(names) if shape is None else [converter(one) for one in shapes]
        )
        self.as_text = [
            one is None or "string" in one.kinds or one.kinds == KINDS for one in shapes
        ]
        self.whole = [one is not None and _is_whole(one) for one in shapes]
        self._fields = _compiled(tree, shape)

    def _misfits(
        self, shape: Shape, shapes: Sequence[Shape | None], paths: Sequence[Path]
    ) -> list[Problem]:
        """What is required and not there; notes what is there and not declared."""
        problems = []
        for name, found in zip(self._names, shapes, strict=True):
            if name and found is None:
                note = f"column '{name}' is not declared in the schema and passed on as it is"
                self.notes += (note,)
        declared = [column_name(path) for path, _ in shape.leaves()]
        others = [n for n in self._names if n not in declared and 0 < len(n) < _LONG_NAME]
        for path in shape.needed():
            if not any(path[: len(given)] == given for given in paths):
                name = column_name(path)
                message = f"no column '{name}', a required field{nearest(name, others)}"
                problems.append(Problem("header", message, self._file))
        if not problems and declared and not any(shapes):
            message = f"no column is a declared field{nearest('', declared)}"
            problems.append(Problem("header", message, self._file))
        return problems

    def event(self, cells: Sequence[Any]) -> dict[str, Any]:
        """The event of one row; a cell that is None leaves its field out."""
        return _filled(self._fields, cells)


@dataclass(frozen=True, slots=True)
class _Field:
    """A member of an event, from a column or from several.

    Attributes:
        name: of the member.
        source: the position of its column, or its own members.
        stays: it is there even when it is empty.
    """

    name: str
    source: int | list[_Field]
    stays: bool


def _is_whole(shape: Shape) -> bool:
    return "integer" in shape.kinds and "number" not in shape.kinds


def _add(tree: Tree, path: Path, column: int) -> bool:
    """Puts a column at its path, unless another one is there or on the way."""
    for part in path[:-1]:
        below = tree.setdefault(part, {})
        if isinstance(below, int):
            return False
        tree = below
    return tree.setdefault(path[-1], column) == column


def _compiled(tree: Tree, shape: Shape | None) -> list[_Field]:
    fields = []
    for name, below in tree.items():
        member = None if shape is None else shape.member(name)
        required = shape is not None and name in shape.required
        if isinstance(below, int):
            # Null, where it may be null, is how an empty cell of a required field can stay.
            null = required and member is not None and "null" in member.kinds
            fields.append(_Field(name, below, null))
        else:
            stays = required and member is not None
            fields.append(_Field(name, _compiled(below, member), stays))
    return fields


def _filled(fields: Sequence[_Field], cells: Sequence[Any]) -> dict[str, Any]:
    event: dict[str, Any] = {}
    for field in fields:
        if isinstance(field.source, int):
            value = cells[field.source]
            if value is not None or field.stays:
                event[field.name] = value
        else:
            inner = _filled(field.source, cells)
            if inner or field.stays:
                event[field.name] = inner
    return event


def encode(event: Mapping[str, Any]) -> bytes:
    """The event as JSON bytes."""
    return _encode(event)


_encode = msgspec.json.Encoder(decimal_format="number").encode
