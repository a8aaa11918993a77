"""The errors of the worker, and what the loop does about each.

::

    RtmlError
    ├── ConfigError     every problem at once      -> refuse to start, exit code 2
    ├── ModelError      a model does not load      -> its service does not start and says so
    │   │               it breaks on a batch       -> halved: only the guilty rows are dead letters
    │   └── ModelTimeoutError  took too long       -> the same
    └── TransportError  Kafka; retriable or not    -> back off and retry, or stop uncommitted
        └── StoreError  the model store            -> exit code 3

A record that cannot be scored is no exception: it is a `Fault`, data that travels beside the
batch and ends as a dead letter.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class RtmlError(Exception):
    """The root: catch it to catch everything this package raises on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a graph, a schema, a model or the settings.

    Attributes:
        path: where it stands, such as ``nodes[2].params.column``; empty for the whole file.
        message: what is wrong and the way out.
        file: the file's name, if it came from one.
        line: the line in that file, counted from 1, where known.
    """

    path: str
    message: str
    file: str = ""
    line: int | None = None

    def within(self, prefix: str) -> Problem:
        """The same problem, its path seen from the outside of ``prefix``."""
        if not self.path:
            return replace(self, path=prefix)
        joint = "" if self.path.startswith("[") else "."
        return replace(self, path=f"{prefix}{joint}{self.path}")

    def __str__(self) -> str:
        place = self.file + (f":{self.line}" if self.line is not None else "")
        return " ".join(part for part in (place, f"{self.path}:" if self.path else "") if part) + (
            f" {self.message}" if place or self.path else self.message
        )


class ConfigError(RtmlError):
    """A graph, model, schema, setting or argument that is wrong: all its problems at once.

    Attributes:
        problems: at least one, unless somebody else has told them.
        warnings: about what was not refused, but may be why.
    """

    def __init__(self, problems: Problem | Iterable[Problem], warnings: Iterable[str] = ()) -> None:
        self.warnings = tuple(warnings)
        self.problems: tuple[Problem, ...] = (
            (problems,) if isinstance(problems, Problem) else tuple(problems)
        )
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ModelError(RtmlError):
    """A model cannot be loaded, or breaks on what it is given."""


class ModelTimeoutError(ModelError):
    """A run of a model took too long and was ended."""


class TransportError(RtmlError):
    """Kafka cannot be reached, or refused something.

    Attributes:
        retriable: True where waiting helps; False where the worker must stop without committing.
    """

    def __init__(self, message: str, *, retriable: bool) -> None:
        self.retriable = retriable
        super().__init__(message)


class StoreError(TransportError):
    """The model store cannot be reached, refused something, or holds what it must not hold."""


class Stage(StrEnum):
    """Where on its way a record failed; the ``rtml-dlq-stage`` header."""

    DECODE = "decode"
    VALIDATE = "validate"
    NODE = "node"
    SCORE = "score"
    ENCODE = "encode"
    PRODUCE = "produce"


@dataclass(slots=True)  # frozen it takes 1.6 us to make instead of 0.4
class Fault:
    """Why one record is a dead letter.

    Attributes:
        row: the record's position in the batch that was read.
        stage: where it failed.
        error: a stable, routable class name, such as ``RangeError``.
        message: for people; names the field and the way out.
        node: id of the node, empty outside the graph.
    """

    row: int
    stage: Stage
    error: str
    message: str
    node: str = ""


def nearest(name: str, known: Iterable[str], limit: int = 8, prefix: str = "") -> str:
    """A clause that helps who mistyped ``name``: the nearest known name, else what is known.

    Args:
        name: that was given.
        known: that could be meant.
        limit: of the known names that are listed.
        prefix: that all of them have; it makes no two of them alike.

    Returns:
        Text to append to a message, such as ``; did you mean 'gender'?``; empty if none is known.
    """
    names = [str(item) for item in known]
    if not names:
        return ""
    by_folded = {item.removeprefix(prefix).casefold(): item for item in names}
    folded = name.removeprefix(prefix).casefold()
    match: Sequence[str] = difflib.get_close_matches(folded, by_folded, n=1, cutoff=0.6)
    if match:
        return f"; did you mean '{by_folded[match[0]]}'?"
    shown = ", ".join(sorted(names)[:limit])
    return f"; known: {shown}" + (", ..." if len(names) > limit else "")
