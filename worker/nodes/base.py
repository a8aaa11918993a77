"""What every node is: params, a signature proven before the first event, and ``process``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from worker.batch import ANY, Batch, ColumnType, DType
from worker.errors import ConfigError, Problem, nearest

TOPIC_COLUMN = "@topic"
"""Reserved text column that `Route` writes: the sink topic of a row, None for the sink's own."""


class Params(BaseModel):
    """Base of all node params: frozen, unknown keys refused, no silent conversion of text."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


P = TypeVar("P", bound=Params)


@dataclass(frozen=True, slots=True)
class Signature:
    """What a node does to the columns that reach it.

    Attributes:
        reads: columns it looks at.
        writes: columns it adds or replaces, with their types.
        removes: columns that are gone after it.
    """

    reads: tuple[str, ...]
    writes: Mapping[str, ColumnType]
    removes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """One use of a node kind, shown by ``rtml nodes`` and run by the contract tests.

    Attributes:
        params: as they would stand in a graph file.
        types: the columns that reach the node.
        given: their values, None where missing.
        gives: every column the node writes, with its values for the rows that stay.
    """

    params: Mapping[str, Any]
    types: Mapping[str, ColumnType]
    given: Mapping[str, list[Any]]
    gives: Mapping[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Context:
    """The surroundings a node may use while it is built: the graph's folder, for its models.

    Attributes:
        folder: files named in params lie in it; nothing outside it may be read.
    """

    folder: Path = field(default_factory=Path)


class Columns(Mapping[str, ColumnType]):
    """The typed columns that reach a node, and the problems found while it is checked.

    With ``complete=False`` (a node before this one could not be checked) an unknown column is no
    problem, so that one mistake is reported once.
    """

    def __init__(self, types: Mapping[str, ColumnType], *, complete: bool = True) -> None:
        self._types = dict(types)
        self._complete = complete
        self.problems: list[Problem] = []

    def __getitem__(self, name: str) -> ColumnType:
        return self._types[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)

    def problem(self, path: str, message: str) -> None:
        """Notes that the param at ``path`` is wrong; checking goes on."""
        self.problems.append(Problem(f"params.{path}", message))

    def need(
        self, path: str, name: str, dtypes: Iterable[DType] = ANY, *, vector: bool | None = False
    ) -> ColumnType:
        """The type of the column that the param at ``path`` names.

        Args:
            path: of the param, such as ``columns[1]``.
            name: the column.
            dtypes: what the node can work on.
            vector: False for scalars only, True for vectors only, None for both.

        Returns:
            Its type; where it is unknown or unfit, the problem is noted and a fit type returned,
            so that checking goes on.
        """
        allowed = [dtype for dtype in DType if dtype in set(dtypes)]
        stand_in = ColumnType(allowed[0], 1 if vector else None)
        if name not in self._types:
            if self._complete:
                self.problem(path, f"no column '{name}' reaches this node{nearest(name, self)}")
            return stand_in
        found = self._types[name]
        if found.dtype not in allowed:
            wanted = ", ".join(allowed)
            self.problem(path, f"column '{name}' is {found}, but this needs {wanted}; Cast it")
            return stand_in
        if vector is not None and vector != (found.length is not None):
            wanted = "a vector" if vector else "one number or text per event"
            self.problem(path, f"column '{name}' is {found}, but this needs {wanted}")
            return stand_in
        return found


class Node(ABC, Generic[P]):
    """One operation on a batch. A ready object: what is constructed has been proven to fit.

    A node may add, replace and remove columns and mark rows. It may not reorder rows, log, sleep,
    do I/O, read a clock or a random source, and a row's result must not depend on its neighbours
    unless ``row_independent`` says so.
    """

    Params: ClassVar[type[Params]]
    EXAMPLE: ClassVar[Example]
    row_independent: ClassVar[bool] = True

    @property
    def topics(self) -> tuple[str, ...]:
        """Topics this node may send rows to; only a routing node has some."""
        return ()

    @property
    def models(self) -> dict[str, str]:
        """Name -> SHA-256 of the models this node runs; only inference nodes have some."""
        return {}

    def __init__(self, params: P, columns: Columns, context: Context) -> None:
        """Checks the params against the columns that reach the node.

        Raises:
            ConfigError: every problem, with paths that begin at ``params``.
        """
        self.params = params
        self.signature = self.check(columns, context)
        if columns.problems:
            raise ConfigError(columns.problems)

    @abstractmethod
    def check(self, columns: Columns, context: Context) -> Signature:
        """Looks up every column it needs in ``columns`` and says what it reads and writes."""

    @abstractmethod
    def process(self, batch: Batch) -> Batch:
        """The batch with this node's columns and marks; called for n >= 1 live rows."""
