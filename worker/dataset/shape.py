"""What a JSON Schema says about a path: which types may stand there, and what must be there.

The schema may be any (draft 2020-12). Only what tells types is looked at: ``type``, ``enum``,
``const``, ``properties``, ``required``, and the ways to combine schemas within one document. What
cannot be told is taken for anything; whether a value fits is for the validator to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from worker.schema import MAX_DEPTH, Schema, path_of, value_at

KINDS = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
MAX_FIELDS = 10_000
"""Fields of one schema that are listed; a recursive schema has no end of them."""

Path = tuple[str, ...]


class Shape:
    """What may stand at one place of an event.

    Attributes:
        kinds: the JSON types that are allowed; all of them where nothing is said.
        required: members that must be there.
        date_time: text is an instant (RFC 3339).
    """

    def __init__(
        self, parts: Iterable[Any], root: Any, above: frozenset[int] = frozenset()
    ) -> None:
        """Looks at schemas that all apply.

        Args:
            parts: the schemas.
            root: the document they stand in.
            above: schemas of the same place that are looked at already, by identity: a reference
                back to one of them says nothing new.
        """
        self._root = root
        self._parts: list[Mapping[str, Any]] = []
        self._choices: list[list[Shape]] = []
        self._taken = set(above)
        for part in parts:
            self._take(part)
        self.kinds = KINDS
        for part in self._parts:
            self.kinds &= _kinds(part)
        for choice in self._choices:
            self.kinds &= frozenset[str]().union(*(shape.kinds for shape in choice))
        lists = [part.get("required", []) for part in self._parts]
        self.required = frozenset(n for names in lists if isinstance(names, list) for n in names)
        chosen = [shape for choice in self._choices for shape in choice]
        formats = [part.get("format") for part in self._parts]
        self.date_time: bool = "date-time" in formats or any(one.date_time for one in chosen)

    def _take(self, part: Any) -> None:
        if not isinstance(part, Mapping) or id(part) in self._taken:
            return
        self._taken.add(id(part))
        self._parts.append(part)
        if "$ref" in part:
            self._take(_referred(self._root, part["$ref"]))
        for inner in _listed(part, "allOf"):
            self._take(inner)
        for key in ("anyOf", "oneOf"):
            above = frozenset(self._taken)
            options = [Shape([one], self._root, above) for one in _listed(part, key)]
            if options:
                self._choices.append(options)

    def member(self, name: str) -> Shape | None:
        """What may stand in a member; None where it is not declared."""
        parts: list[Any] = []
        for part in self._parts:
            members = part.get("properties")
            if isinstance(members, Mapping) and name in members:
                parts.append(members[name])
        for choice in self._choices:
            found = [inner for shape in choice if (inner := shape.member(name)) is not None]
            if found:
                parts.append({"anyOf": [{"allOf": inner._parts} for inner in found]})
        return Shape(parts, self._root) if parts else None

    def at(self, path: Path) -> Shape | None:
        """What may stand at a path; None where it is not declared."""
        found: Shape | None = self
        for name in path:
            found = found.member(name) if found is not None else None
        return found

    @property
    def names(self) -> list[str]:
        """The declared members, in the schema's order."""
        found: dict[str, None] = {}
        for part in self._parts:
            members = part.get("properties")
            found |= dict.fromkeys(members if isinstance(members, Mapping) else ())
        for choice in self._choices:
            for shape in choice:
                found |= dict.fromkeys(shape.names)
        return list(found)

    def _identities(self) -> frozenset[int]:
        """Which schemas of the document this place is described by."""
        inner = (shape._identities() for choice in self._choices for shape in choice)
        return frozenset(id(part) for part in self._parts).union(*inner)

    def leaves(self) -> Iterator[tuple[Path, Shape]]:
        """The declared values, those of nested objects by their path."""
        return islice(self._leaves((), frozenset()), MAX_FIELDS)

    def _leaves(self, path: Path, above: frozenset[int]) -> Iterator[tuple[Path, Shape]]:
        own = self._identities()
        names = self.names
        if not names or len(path) >= MAX_DEPTH or own & above:
            if path:
                yield path, self
            return
        for name in names:
            member = self.member(name)
            assert member is not None  # it is one of the names
            yield from member._leaves((*path, name), above | own)

    def needed(self) -> Iterator[Path]:
        """Values without which no event fits."""
        return islice(self._needed((), frozenset()), MAX_FIELDS)

    def _needed(self, path: Path, above: frozenset[int]) -> Iterator[Path]:
        own = self._identities()
        if own & above:
            return
        for name in [one for one in self.names if one in self.required]:
            member = self.member(name)
            assert member is not None  # it is one of the names
            if not member.names:
                yield (*path, name)
            elif member.kinds == {"object"}:
                yield from member._needed((*path, name), above | own)


def shape_of(schema: Schema | object) -> Shape:
    """The shape of an event, by a graph's schema or by any JSON Schema."""
    source = schema.source if isinstance(schema, Schema) else schema
    return Shape([source], source)


def _kinds(part: Mapping[str, Any]) -> frozenset[str]:
    given = part.get("type")
    if given is None and "enum" not in part and "const" not in part:
        return frozenset({"object"}) if "properties" in part else KINDS
    names = given if isinstance(given, list) else KINDS if given is None else [given]
    kinds = frozenset(name for name in names if isinstance(name, str)) & KINDS
    if "number" in kinds:
        kinds |= {"integer"}
    values = [*_listed(part, "enum"), *([part["const"]] if "const" in part else [])]
    return kinds & {kind_of(value) for value in values} if values else kinds


def kind_of(value: object) -> str:
    """The JSON type of a decoded value; ``integer`` for a number without a point."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    for type_, kind in ((str, "string"), (int, "integer"), (float, "number"), (dict, "object")):
        if isinstance(value, type_):
            return kind
    return "array"


def _listed(part: Mapping[str, Any], key: str) -> list[Any]:
    found = part.get(key)
    return found if isinstance(found, list) else []


def _referred(root: Any, reference: object) -> Any:
    """The schema that a reference within the document means."""
    if reference == "#":
        return root
    if isinstance(reference, str) and reference.startswith("#/"):
        return value_at(root, path_of(reference[1:]))
    return None
