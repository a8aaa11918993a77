"""What is seen in a number of events: fields, their types, how often they are missing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from worker.dataset.instants import instant
from worker.dataset.shape import Path, kind_of
from worker.errors import ConfigError, Problem
from worker.schema import MAX_DEPTH
from worker.schema.limits import INT64_MAX, INT64_MIN

MAX_FIELDS = 10_000
MAX_DISTINCT = 1_000
"""Different values of a field that are told apart."""
_LONG_TEXT = 100
_LOOKS_LIKE_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt].*")
_is_date_time = jsonschema_rs.validator_for(
    {"type": "string", "format": "date-time"}, validate_formats=True
).is_valid


class Field:
    """One place of the events that were seen.

    Attributes:
        seen: how often it was there, null included.
        kinds: JSON type -> how often; an integer that no 64 bits hold is a ``number``.
        members: of its objects.
        items: of its arrays, all of them together.
        lengths: the least and the greatest length of its arrays.
        example: the first value that is not null.
        big: it held an integer that no 64 bits hold.
        odd_times: it held an instant that no datetime holds, such as one of the year 0.
    """

    def __init__(self) -> None:
        self.seen = 0
        self.kinds: Counter[str] = Counter()
        self.members: dict[str, Field] = {}
        self.items: Field | None = None
        self.lengths: tuple[int, int] | None = None
        self.example: Any = None
        self.big = self.odd_times = False
        self._values: dict[tuple[str, Any], None] = {}
        self._no_time = False

    @property
    def values(self) -> list[Any]:
        """Different plain values, `MAX_DISTINCT` + 1 at most; a long text is only its hash."""
        return [value for _, value in self._values]

    @property
    def filled(self) -> int:
        """How often it held something."""
        return self.seen - self.kinds["null"]

    @property
    def date_time(self) -> bool:
        """Whether every text in it is an instant (RFC 3339)."""
        return self.kinds["string"] > 0 and not self._no_time


class Profile:
    """The fields of the events that were added, from `root` on.

    Attributes:
        root: the event itself.
    """

    def __init__(self, name: str) -> None:
        """``name``: of the file or topic, for messages."""
        self.root = Field()
        self._name, self._fields = name, 1

    def add(self, event: dict[str, Any]) -> None:
        """Takes an event into account.

        Raises:
            ConfigError: so many fields that their names must be data.
        """
        self._add(self.root, event, 0)

    def _add(self, field: Field, value: Any, depth: int) -> None:
        kind = kind_of(value)
        if kind == "integer" and not INT64_MIN <= value <= INT64_MAX:
            kind, field.big = "number", True
        field.seen += 1
        field.kinds[kind] += 1
        if field.example is None:
            field.example = value
        if kind == "object":
            if depth < MAX_DEPTH:
                for name, inner in value.items():
                    self._add(self._member(field, name), inner, depth + 1)
        elif kind == "array":
            self._add_items(field, value, depth)
        elif kind != "null":
            _note(field, kind, value)

    def _add_items(self, field: Field, value: list[Any], depth: int) -> None:
        n = len(value)
        least, most = field.lengths or (n, n)
        field.lengths = (min(least, n), max(most, n))
        field.items = field.items or Field()
        if depth < MAX_DEPTH:
            for item in value:
                self._add(field.items, item, depth + 1)

    def _member(self, field: Field, name: str) -> Field:
        found = field.members.get(name)
        if found is None:
            found = field.members[name] = Field()
            self._fields += 1
            if self._fields > MAX_FIELDS:
                message = f"has more than {MAX_FIELDS:,} different fields: their names are data"
                raise ConfigError(Problem("", message, self._name))
        return found

    def leaves(self) -> Iterator[tuple[Path, Field]]:
        """Values with their paths; an object that also holds other things is one of them."""
        yield from _leaves(self.root, ())


def _note(field: Field, kind: str, value: Any) -> None:
    if len(field._values) <= MAX_DISTINCT:
        long = kind == "string" and len(value) > _LONG_TEXT
        field._values[("long" if long else kind, hash(value) if long else value)] = None
    if kind == "string" and not field._no_time:
        field._no_time = not (_LOOKS_LIKE_TIME.match(value) and _is_date_time(value))
        field.odd_times |= not field._no_time and instant(value) is None


def _leaves(field: Field, path: Path) -> Iterator[tuple[Path, Field]]:
    for name, member in field.members.items():
        if set(+member.kinds) <= {"object", "null"} and member.members:
            yield from _leaves(member, (*path, name))
        else:
            yield (*path, name), member
