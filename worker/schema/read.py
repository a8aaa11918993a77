"""Reads a JSON Schema and collects everything in it that is not understood."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker.batch import ColumnType, DType
from worker.bounds import bounds
from worker.errors import ConfigError, Problem, nearest
from worker.schema.fields import Branch, Leaf, Schema, is_plain
from worker.schema.limits import limits_of

_ANNOTATIONS = frozenset(
    {"$schema", "$id", "$comment", "title", "description", "examples", "deprecated"}
)
_COMMON = frozenset({"type", "default", "enum"})
_BOUNDS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
_KEYWORDS: dict[str, frozenset[str]] = {
    "object": frozenset({"type", "properties", "required", "additionalProperties"}),
    "array": frozenset({"type", "items", "minItems", "maxItems"}),
    "number": _COMMON | _BOUNDS,
    "integer": _COMMON | _BOUNDS,
    "string": _COMMON | {"minLength", "maxLength", "format"},
    "boolean": _COMMON,
}
_DTYPES = {
    "number": DType.FLOAT64,
    "integer": DType.INT64,
    "string": DType.TEXT,
    "boolean": DType.BOOL,
}
MAX_DEPTH = 32
"""Objects nested deeper than this are refused."""


def parse(source: object) -> Schema:
    """The schema's columns.

    Raises:
        ConfigError: every keyword, type and bound that is not understood, with its path.
    """
    problems: list[Problem] = []
    root = _Reader(problems).member(source, "", required=True, depth=0)
    if isinstance(root, Leaf) and not problems:
        problems.append(Problem("type", "an event must be an object: type: object, properties"))
    if isinstance(root, Branch) and not problems:
        problems += _too_many(root)
    if isinstance(root, Branch) and not problems:
        return Schema(root, dict(source) if isinstance(source, Mapping) else {})
    raise ConfigError(problems)


def _too_many(root: Branch) -> list[Problem]:
    count, most = sum(1 for _ in Schema(root, {}).leaves()), bounds().max_columns
    if count <= most:
        return []
    return [Problem("properties", f"declares {count} fields; at most {most} (RTML_MAX_COLUMNS)")]


class _Reader:
    """Walks a JSON Schema and collects what is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        self._problems = problems

    def _problem(self, path: str, message: str) -> None:
        self._problems.append(Problem(path.lstrip("."), message))

    def member(self, source: object, path: str, *, required: bool, depth: int) -> Leaf | Branch:
        """One (sub)schema; a problem still yields something, so that reading goes on."""
        nothing = Branch({}, required, nullable=False, closed=False)
        if not isinstance(source, Mapping):
            self._problem(path, "must be a JSON Schema object such as {type: number}")
            return nothing
        if depth > MAX_DEPTH:
            self._problem(path, f"objects are nested deeper than {MAX_DEPTH}")
            return nothing
        kind, nullable = self._kind(source, path)
        if kind is None:
            return nothing
        self._keywords(source, path, kind)
        if kind == "object":
            members, closed = self._members(source, path, depth)
            return Branch(members, required, nullable, closed)
        if kind == "array":
            column, limits = self._vector(source, path)
            return Leaf(column, required, nullable, None, limits)
        dtype, default, limits = self._scalar(source, path, kind)
        return Leaf(ColumnType(dtype), required, nullable, default, limits)

    def _kind(self, source: Mapping[str, Any], path: str) -> tuple[str | None, bool]:
        given = source.get("type", "object" if "properties" in source else None)
        names = given if isinstance(given, list) else [given]
        kinds = [name for name in names if name != "null"]
        if len(kinds) != 1 or not isinstance(kinds[0], str) or kinds[0] not in _KEYWORDS:
            hint = nearest(kinds[0], _KEYWORDS) if kinds and isinstance(kinds[0], str) else ""
            self._problem(
                f"{path}.type",
                f"must be one of {', '.join(_KEYWORDS)}, or a list of one of them and null, "
                f"not {given!r}{hint}",
            )
            return None, False
        return kinds[0], "null" in names

    def _keywords(self, source: Mapping[str, Any], path: str, kind: str) -> None:
        known = _KEYWORDS[kind]
        for key in source:
            if key not in known and key not in _ANNOTATIONS:
                self._problem(
                    f"{path}.{key}",
                    f"keyword '{key}' is not supported for {kind}{nearest(str(key), known)}",
                )

    def _members(
        self, source: Mapping[str, Any], path: str, depth: int
    ) -> tuple[dict[str, Leaf | Branch], bool]:
        properties = source.get("properties", {})
        names = source.get("required", [])
        open_ = source.get("additionalProperties", True)
        prefix = f"{path}." if path else ""
        if not isinstance(properties, Mapping):
            self._problem(f"{prefix}properties", "must be an object of field name -> schema")
            properties = {}
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            self._problem(f"{prefix}required", "must be a list of field names")
            names = []
        if not isinstance(open_, bool):
            self._problem(f"{prefix}additionalProperties", "must be true or false")
        for name in dict.fromkeys(names):
            if name not in properties:
                self._problem(
                    f"{prefix}required", f"'{name}' is no declared field{nearest(name, properties)}"
                )
        for name in properties:
            if not is_plain(str(name)):
                message = "a field name cannot hold quotes, backslashes or control characters"
                self._problem(f"{prefix}properties.{name}", message)
        members = {
            str(name): self.member(
                member, f"{prefix}properties.{name}", required=name in names, depth=depth + 1
            )
            for name, member in properties.items()
        }
        return members, open_ is False

    def _vector(self, source: Mapping[str, Any], path: str) -> tuple[ColumnType, dict[str, Any]]:
        items, low, high = (source.get(key) for key in ("items", "minItems", "maxItems"))
        if not isinstance(items, Mapping) or items.get("type") not in ("number", "integer"):
            self._problem(f"{path}.items", "must be {type: number} or {type: integer}")
        elif set(items) - {"type"} - _ANNOTATIONS:
            extra = ", ".join(sorted(set(items) - {"type"} - _ANNOTATIONS))
            self._problem(f"{path}.items", f"not supported in items: {extra}")
        most = bounds().max_vector_length
        if type(low) is not int or low != high or not 1 <= low <= most:
            self._problem(
                path,
                "an array is a vector of fixed length: give equal minItems and maxItems "
                f"from 1 to {most}",
            )
            low = 1
        whole = isinstance(items, Mapping) and items.get("type") == "integer"
        return ColumnType(DType.FLOAT64, low), {"items": "integer"} if whole else {}

    def _scalar(
        self, source: Mapping[str, Any], path: str, kind: str
    ) -> tuple[DType, Any, dict[str, Any]]:
        dtype = _DTYPES[kind]
        if kind == "string" and "format" in source:
            if source["format"] == "date-time":
                dtype = DType.DATETIME
            else:
                self._problem(
                    f"{path}.format", f"format {source['format']!r} is not supported; use date-time"
                )
        known = {key: value for key, value in source.items() if key in _KEYWORDS[kind]}
        limits, default, problems = limits_of(known, kind, dtype)
        self._problems += [problem.within(path) if path else problem for problem in problems]
        return dtype, default, limits
