"""What a schema declares: values and objects of an event, and the columns they become."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from worker.batch import ColumnType

_PLAIN = re.compile(r'[^"\\\x00-\x1f\ud800-\udfff]*')


@dataclass(frozen=True, slots=True)
class Leaf:
    """One declared value.

    Attributes:
        type: of its column.
        required: an event without it is a dead letter.
        nullable: null is allowed by the schema. An optional field may be null as well; either
            way the value is missing.
        default: the value of an event that does not carry the field; None for missing.
        limits: the schema's own bounds, by keyword (``minimum``, ``maxLength``, ``enum``, ...);
            ``items`` is ``integer`` for a vector of whole numbers.
    """

    type: ColumnType
    required: bool
    nullable: bool
    default: Any
    limits: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Branch:
    """One declared object; ``closed`` refuses members that are not declared."""

    members: Mapping[str, Leaf | Branch]
    required: bool
    nullable: bool
    closed: bool


@dataclass(frozen=True, slots=True)
class Schema:
    """The declared fields of an event.

    Attributes:
        root: the event object.
        source: the JSON Schema it was read from.
    """

    root: Branch
    source: Mapping[str, Any]

    def leaves(self) -> Iterator[tuple[tuple[str, ...], Leaf]]:
        """Each declared value with its path, in the schema's order."""
        yield from _leaves(self.root, ())

    @property
    def columns(self) -> dict[str, ColumnType]:
        """Column name -> type."""
        return {column_name(path): leaf.type for path, leaf in self.leaves()}


def _leaves(branch: Branch, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Leaf]]:
    for name, member in branch.members.items():
        if isinstance(member, Leaf):
            yield (*path, name), member
        else:
            yield from _leaves(member, (*path, name))


def column_name(path: tuple[str, ...]) -> str:
    """The dotted path, or the JSON Pointer where a segment cannot stand in one."""
    if any(not part or "." in part or "/" in part or part.startswith("@") for part in path):
        return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)
    return ".".join(path)


def is_plain(name: str) -> bool:
    """Whether JSON writes the name as it is; msgspec's structs can hold no other."""
    return _PLAIN.fullmatch(name) is not None


def path_of(name: str) -> tuple[str, ...]:
    """The path that a dotted path or a JSON Pointer names; the inverse of `column_name`."""
    if name.startswith("/"):
        return tuple(part.replace("~1", "/").replace("~0", "~") for part in name[1:].split("/"))
    return tuple(name.split("."))


def value_at(event: object, path: tuple[str, ...]) -> Any:
    """What an event holds at a path of member names; None where there is nothing."""
    found: Any = event
    for part in path:
        found = found.get(part) if isinstance(found, dict) else None
    return found
