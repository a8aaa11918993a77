"""The columns of a table that holds nested events, and their cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from worker.dataset.infer import kinds_of
from worker.dataset.profile import Field, Profile
from worker.dataset.shape import Path, Shape
from worker.schema import column_name, value_at

_SCALARS = frozenset({"boolean", "integer", "number", "string"})
_encode = msgspec.json.encode


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        path: of the field.
        kind: ``boolean``, ``integer``, ``number``, ``string``, ``date-time``, a ``list of`` one of
            the first four; ``text`` for plain values of several types, ``json`` for anything else.
    """

    path: Path
    kind: str

    @property
    def name(self) -> str:
        """Its header: the dotted path, or the JSON Pointer."""
        return column_name(self.path)


def layout(profile: Profile, shape: Shape | None) -> list[Column]:
    """The columns for the events of a profile.

    Args:
        profile: of all events that the table will hold.
        shape: a schema that all of them fit: its fields come first, there or not, with its types.
    """
    found = dict(profile.leaves())
    columns: dict[Path, str] = {}
    for path, declared in shape.leaves() if shape is not None else ():
        # Where an object was declared and nothing was in it, its declared fields are the columns.
        above = [path[:i] for i in range(1, len(path)) if path[:i] in found]
        for outer in [one for one in above if not found[one].filled]:
            del found[outer]
            above.remove(outer)
        if not above and not any(other[: len(path)] == path != other for other in found):
            columns[path] = _declared(declared, found.get(path))
    others = {path: _kind(field) for path, field in found.items() if path not in columns}
    return [Column(path, kind) for path, kind in {**columns, **others}.items()]


def flatten(event: dict[str, Any], columns: list[Column]) -> list[Any]:
    """The values of an event by column; None where there is none."""
    return [value_at(event, column.path) for column in columns]


def text_cell(value: Any) -> str:
    """A value as the cell of a CSV file."""
    if value is None:
        return ""
    return value if isinstance(value, str) else _encode(value).decode()


def table_cell(kind: str) -> Callable[[Any], Any]:
    """How the values of a column become those of a typed table."""
    if kind == "number":
        return lambda value: None if value is None else float(value)
    if kind == "list of number":
        return lambda value: None if value is None else [_float(item) for item in value]
    if kind == "integer":
        return lambda value: None if value is None else int(value)
    if kind == "text":
        return lambda value: None if value is None else text_cell(value)
    if kind == "json":
        return lambda value: None if value is None else _encode(value).decode()
    return lambda value: value


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _kind(field: Field) -> str:
    kinds = [kind for kind in kinds_of(field) if kind != "null"]
    if field.big or set(kinds) > {kinds[0]}:
        return "text" if set(kinds) <= _SCALARS else "json"
    if kinds == ["array"] and field.items is not None:
        items = [kind for kind in kinds_of(field.items) if kind != "null"]
        plain = len(items) == 1 and items[0] in _SCALARS and not field.items.big
        return f"list of {items[0]}" if plain else "json"
    return kinds[0] if kinds[0] in _SCALARS else "json"


def _declared(shape: Shape, field: Field | None) -> str:
    """The column of a declared field; what was seen decides where the schema leaves it open."""
    found = None if field is None or not field.filled else _kind(field)
    kinds = shape.kinds - {"null"}
    if "number" in kinds:
        kinds -= {"integer"}
    if len(kinds) != 1:
        return found or "string"
    (kind,) = kinds
    if kind == "string" and shape.date_time and (field is None or not field.odd_times):
        return "date-time"
    if kind in ("number", "integer") and found != "text":
        return kind
    return found or (kind if kind in _SCALARS else "json")
