"""What every node is: params, a signature proven before the first event, and ``process``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from worker.batch import ANY, Batch, ColumnType, DType
from worker.errors import ConfigError, Problem, nearest
from worker.models.file import ModelFile, NoModel

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
        made_of: written column -> those of ``reads`` that it is made of; all of them by default.
    """

    reads: tuple[str, ...]
    writes: Mapping[str, ColumnType]
    removes: tuple[str, ...] = ()
    made_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


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
    """The surroundings a node may use while it is built.

    Attributes:
        folder: files named in params lie in it; nothing outside it may be read. None for a graph
            that did not come from a folder.
        models: what was found, before the graph is built, for models that graphs name.
    """

    folder: Path | None = field(default_factory=Path)
    models: Mapping[str, ModelFile | NoModel] = field(default_factory=dict)


def own_path(reference: str, folder: Path) -> Path | None:
    """Where a file reference points: below the graph's folder, symbolic links resolved.

    None where it lies outside, or where no file can have that name; a graph must not read what is
    not its own.
    """
    root = folder.resolve()
    try:
        path = (root / reference).resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links; a name with a null character
        return None
    return path if path.is_relative_to(root) else None


class Columns(Mapping[str, ColumnType]):
    """The typed columns that reach a node, and the problems found while it is checked.

    One mistake is reported once. With ``complete=False`` (a node before this one could not be
    checked) an unknown column is no problem; and once a column's type had to be guessed, what
    does not fit the guess is none either.

    Attributes:
        complete: no other column can be there, not even one of unknown type.
        problems: what is wrong, in the order found.
        guessed: a column was not as needed, so that the node could not be checked to the end.
    """

    def __init__(
        self,
        types: Mapping[str, ColumnType],
        *,
        complete: bool = True,
        untyped: Collection[str] = (),
    ) -> None:
        self._types = dict(types)
        self._untyped, self._named = frozenset(untyped), complete
        self.complete = complete and not untyped
        self.problems: list[Problem] = []
        self.guessed = False

    def __getitem__(self, name: str) -> ColumnType:
        return self._types[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)

    def problem(self, path: str, message: str, *, sure: bool = False) -> None:
        """Notes that the param at ``path`` is wrong; checking goes on.

        Args:
            path: such as ``columns[1]``.
            message: what is wrong and the way out.
            sure: wrong whatever the columns' types, so that a guess does not matter.
        """
        if sure or not self.guessed:
            self.problems.append(Problem(f"params.{path}".rstrip("."), message))

    def need(
        self,
        path: str,
        name: str,
        dtypes: Iterable[DType] = ANY,
        *,
        vector: bool | None = False,
        place: str = "",
    ) -> ColumnType:
        """The type of the column that the param at ``path`` names.

        Args:
            path: of the param, such as ``columns[1]``.
            name: the column.
            dtypes: what the node can work on.
            vector: False for scalars only, True for vectors only, None for both.
            place: where in the param's text the name stands, before a problem's message.

        Returns:
            Its type; where it is unknown or unfit, the problem is noted and a fit type returned,
            so that checking goes on.
        """
        allowed = [dtype for dtype in DType if dtype in set(dtypes)]
        stand_in = ColumnType(allowed[0], 1 if vector else None)
        found = self._types.get(name)
        if found is None:
            if self._named and name not in self._untyped:
                known = [*self, *sorted(self._untyped)]
                message = f"{place}no column '{name}' reaches this node{nearest(name, known)}"
                self.problem(path, message, sure=True)
        elif found.dtype not in allowed:
            wanted = ", ".join(allowed)
            message = f"{place}column '{name}' is {found}, but this needs {wanted}; Cast it"
            self.problem(path, message, sure=True)
        elif vector is not None and vector != (found.length is not None):
            wanted = "a vector" if vector else "one number or text per event"
            message = f"{place}column '{name}' is {found}, but this needs {wanted}"
            self.problem(path, message, sure=True)
        else:
            return found
        self.guessed = True
        return stand_in


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

    @classmethod
    def always_writes(cls, params: Any) -> Collection[str] | None:  # noqa: ARG003 - for others
        """The columns that it writes with these params whatever reaches it, and removes none.

        None where that depends on more: if it cannot be checked, nothing is known behind it.
        """
        return None

    @property
    def models(self) -> dict[str, str]:
        """Name -> SHA-256 of the models this node runs; only inference nodes have some."""
        return {}

    def __init__(self, params: P, columns: Columns, context: Context) -> None:
        """Checks the params against the columns that reach the node.

        Raises:
            ConfigError: every problem, with paths that begin at ``params``; none where only a
                node before this one is to blame.
        """
        self.params = params
        self.signature = self.check(columns, context)
        if columns.problems or columns.guessed:
            raise ConfigError(columns.problems)

    @abstractmethod
    def check(self, columns: Columns, context: Context) -> Signature:
        """Looks up every column it needs in ``columns`` and says what it reads and writes."""

    @abstractmethod
    def process(self, batch: Batch) -> Batch:
        """The batch with this node's columns and marks; called for n >= 1 live rows."""
