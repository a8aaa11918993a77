"""What an operation is: typed keywords, the columns it takes, and what it makes of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from worker.batch import ANY, Batch, Column, ColumnType, DType
from worker.nodes._categories import Category
from worker.nodes._changes import Change, Changes
from worker.nodes._fit import fit
from worker.nodes.base import Columns, Params

Named = list[tuple[str, str]]
"""(path of a param, the column's name that stands there)."""


class Kwargs(Params):
    """Base of the keywords of an operation: pandas' own names and defaults."""

    def named(self) -> Named:
        """Columns that a keyword names, as a mapping per column does."""
        return []

    def suits(self, dtype: DType) -> bool:  # noqa: ARG002 - most suit all that the operation takes
        """Whether the keywords can be applied to a column of ``dtype``, for the whole frame."""
        return True


class NoKwargs(Kwargs):
    """None."""


K = TypeVar("K", bound=Kwargs)


@dataclass(frozen=True, slots=True)
class Effect:
    """What an operation does to the frame; ``made_of`` as in a `Signature`."""

    reads: tuple[str, ...]
    writes: Mapping[str, ColumnType]
    apply: Callable[[Batch], Batch]
    removes: tuple[str, ...] = ()
    made_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One use of an operation, as the params say it.

    Attributes:
        columns: what reaches the node; takes the problems.
        cols: the columns that ``cols`` names; empty for the whole frame.
        into: names for the results, empty where none are given.
        inplace: whether results replace their columns.
        categories: by column.
    """

    columns: Columns
    cols: Named
    into: Sequence[str] = ()
    inplace: bool = False
    categories: Mapping[str, list[Category]] = field(default_factory=dict)


class Operation(ABC, Generic[K]):
    """One entry of the table.

    Attributes:
        kwargs: the class of its keywords.
        says: what it does, for the pages about it.
    """

    def __init__(self, kwargs: type[K], says: str) -> None:
        self.kwargs, self.says = kwargs, says

    @abstractmethod
    def effect(self, call: Call, kwargs: K, word: str) -> Effect:
        """Checks the columns; notes problems in ``call.columns``.

        Args:
            call: the use.
            kwargs: of the class ``kwargs``.
            word: the operation's last word, which names new columns.
        """


class PerFrame(Operation[K]):
    """An operation on several columns together, or on the frame's columns as such."""

    def __init__(self, kwargs: type[K], says: str, make: Callable[[Call, K, str], Effect]) -> None:
        super().__init__(kwargs, says)
        self._make = make

    def effect(self, call: Call, kwargs: K, word: str) -> Effect:
        """What ``make`` says."""
        return self._make(call, kwargs, word)


Make = Callable[[Columns, Any, str, DType], Change]
"""Columns for the problems, keywords, the column's name and dtype -> what becomes of it."""


class PerColumn(Operation[K]):
    """An operation on each column alone; on the whole frame, on each it can be applied to."""

    def __init__(
        self, kwargs: type[K], says: str, make: Make, takes: frozenset[DType] = ANY
    ) -> None:
        super().__init__(kwargs, says)
        self.takes = takes
        self._make = make

    def effect(self, call: Call, kwargs: K, word: str) -> Effect:
        """One change per column."""
        named = call.cols or kwargs.named() or fitting(call.columns, self.takes, kwargs.suits)
        targets = _targets(call, named, word)
        changes: dict[str, tuple[str, Change]] = {}
        for (path, name), target in zip(named, targets, strict=False):
            dtype = call.columns.need(path, name, self.takes).dtype
            changes[target] = (name, self._make(call.columns, kwargs, name, dtype))
        made_of = {target: (name, *change.also) for target, (name, change) in changes.items()}
        reads = dict.fromkeys(each for names in made_of.values() for each in names)
        writes = {target: ColumnType(change.dtype) for target, (_, change) in changes.items()}
        return Effect(tuple(reads), writes, Changes(changes), made_of=made_of)


def fitting(
    columns: Columns, takes: frozenset[DType], suits: Callable[[DType], bool] = lambda _: True
) -> Named:
    """Every column of the frame that an operation can work on; notes where there is none."""
    found = [
        ("cols", name)
        for name, kind in columns.items()
        if kind.length is None and kind.dtype in takes and suits(kind.dtype)
    ]
    if not columns.complete:
        columns.guessed = True
    elif not found:
        wanted = ", ".join(dtype for dtype in DType if dtype in takes)
        columns.problem("cols", f"no column that reaches this node fits; needs {wanted}")
    return found


def _targets(call: Call, named: Named, word: str) -> Sequence[str]:
    """Names for the results, one for each column."""
    if not call.into:
        return [name if call.inplace else f"{name}_{word}" for _, name in named]
    if len(call.into) != len(named):
        message = f"{len(call.into)} names for {len(named)} columns; give one for each"
        call.columns.problem("into", message)
    return call.into


def fits(value: Any, dtype: DType) -> bool:
    """Whether a value of the params can stand in a column of ``dtype``."""
    try:
        fit(value, dtype)
    except ValueError:
        return False
    return True


def fitted(columns: Columns, path: str, value: Any, dtype: DType) -> Any:
    """The value as a column of ``dtype`` holds it; None, and a problem, where it cannot."""
    try:
        return fit(value, dtype)
    except ValueError as error:
        columns.problem(f"kwargs.{path}", str(error))
        return None


def as_is(column: Column) -> Column:
    """The column."""
    return column
