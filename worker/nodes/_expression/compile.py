"""A tree against the types of columns: proven to fit, and turned into closures over numpy."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from worker.batch import NUMBERS, Batch, DType
from worker.errors import nearest
from worker.nodes._expression.cells import Cells, Kind, Run, constant, from_column, is_int64
from worker.nodes._expression.functions import (
    EQUALITY,
    FUNCTIONS,
    JOIN,
    OPERATORS,
    SPECIAL,
    Function,
    choose,
    first_present,
    is_null,
    round_to,
)
from worker.nodes._expression.parse import COMPARISONS, Apply, Constant, Name, Tree
from worker.nodes._expression.tokens import ExpressionError

KINDS: dict[DType, Kind] = {
    **dict.fromkeys(NUMBERS, Kind.NUMBER),
    DType.TEXT: Kind.TEXT,
    DType.BOOL: Kind.BOOL,
}
"""Kinds of the columns that an expression can work on."""

_MAX_DECIMALS = 15


@dataclass(frozen=True, slots=True)
class Compiled:
    """A part of an expression: where it stands, what it gives, and how."""

    position: int
    kind: Kind
    run: Run

    def as_kind(self, kind: Kind) -> Run:
        """How it gives cells of ``kind``; null gives missing ones."""
        if self.kind is not Kind.NULL:
            return self.run
        cells = constant(None, kind)
        return lambda _: cells


def names(tree: Tree) -> Iterator[Name]:
    """The columns in order; one that stands twice comes twice."""
    if isinstance(tree, Name):
        yield tree
    elif isinstance(tree, Apply):
        for part in tree.of:
            yield from names(part)


def check_functions(tree: Tree) -> None:
    """Looks at the functions alone, where the columns' kinds are not known.

    Raises:
        ExpressionError: a function that does not exist.
    """
    if isinstance(tree, Apply):
        _known(tree)
        for part in tree.of:
            check_functions(part)


def compiled(
    tree: Tree, kinds: Mapping[str, Kind], whole: Collection[str] = frozenset()
) -> Compiled:
    """What the tree gives for columns of these kinds, of which ``whole`` are int64.

    Raises:
        ExpressionError: the first operand of a wrong kind, a function that does not exist, or a
            number that would be rounded.
    """
    if isinstance(tree, Constant):
        return _constant(tree)
    if isinstance(tree, Name):
        name, kind = tree.column, kinds[tree.column]
        return Compiled(tree.position, kind, lambda batch: from_column(batch[name], kind))
    _known(tree)
    _check_exact(tree, whole)
    of = [compiled(part, kinds, whole) for part in tree.of]
    if tree.name in EQUALITY:
        return _equality(tree, of)
    if tree.name in SPECIAL:
        return _SPECIAL[tree.name](tree, of)
    found = (OPERATORS | FUNCTIONS)[tree.name]
    if tree.name == "+" and of[0].kind is Kind.TEXT:
        found = JOIN
    return _applied(tree, of, found)


def _check_exact(tree: Apply, whole: Collection[str]) -> None:
    """A literal that float64 would round may be compared with whole numbers, and no more."""
    others = [part for part in tree.of if not isinstance(part, Constant)]
    if tree.name in COMPARISONS and all(isinstance(p, Name) and p.column in whole for p in others):
        for part in tree.of:
            value = part.value if isinstance(part, Constant) else None
            if type(value) is int and not is_int64(value):
                raise ExpressionError(part.position, f"{value} is outside int64")
        return
    for part in tree.of:
        value = part.value if isinstance(part, Constant) else None
        if isinstance(value, int) and value != float(value):
            message = f"{value} is more than float64 holds; compare int64 columns with it only"
            raise ExpressionError(part.position, message)


def _constant(tree: Constant) -> Compiled:
    value, kind = tree.value, Kind.NUMBER
    if value is None:
        kind = Kind.NULL
    elif isinstance(value, bool):
        kind = Kind.BOOL
    elif isinstance(value, str):
        kind = Kind.TEXT
    cells = constant(value, Kind.BOOL if kind is Kind.NULL else kind)
    return Compiled(tree.position, kind, lambda _: cells)


def _known(tree: Apply) -> None:
    known = [*FUNCTIONS, *SPECIAL]
    if tree.name not in (*known, *OPERATORS, *EQUALITY):
        hint = nearest(tree.name, known, limit=len(known))
        raise ExpressionError(tree.position, f"no function '{tree.name}'{hint}")


def _count(tree: Apply, least: int, most: int) -> None:
    if not least <= len(tree.of) <= most:
        wanted = f"{least}" if least == most else f"{least} to {most}"
        message = f"{tree.name} takes {wanted} values, not {len(tree.of)}"
        raise ExpressionError(tree.position, message)


def _needs(part: Compiled, kind: Kind, name: str) -> Run:
    if part.kind is not kind:
        shown = "the minus sign" if name == "neg" else name
        raise ExpressionError(part.position, f"{shown} needs {kind} here, not {part.kind}")
    return part.run


def _applied(tree: Apply, of: Sequence[Compiled], found: Function) -> Compiled:
    _count(tree, len(found.takes), max(found.most, len(found.takes)))
    takes = [*found.takes, *[found.takes[-1]] * (len(of) - len(found.takes))]
    runs = [_needs(part, kind, tree.name) for part, kind in zip(of, takes, strict=True)]
    return Compiled(tree.position, found.gives, _together(found.call, runs))


def _together(call: Callable[..., Cells], runs: Sequence[Run]) -> Run:
    def run(batch: Batch) -> Cells:
        return call(*[each(batch) for each in runs])

    return run


def _alike(tree: Apply, of: Sequence[Compiled]) -> tuple[Kind, list[Run]]:
    """The kind that all of them have, null apart."""
    kind = next((part.kind for part in of if part.kind is not Kind.NULL), Kind.NULL)
    if kind is Kind.NULL:
        raise ExpressionError(tree.position, f"{tree.name} of nothing but null")
    for part in of:
        if part.kind not in (kind, Kind.NULL):
            message = f"{tree.name} needs {kind} here too, not {part.kind}"
            raise ExpressionError(part.position, message)
    return kind, [part.as_kind(kind) for part in of]


def _equality(tree: Apply, of: Sequence[Compiled]) -> Compiled:
    for part in of:
        if part.kind is Kind.NULL:
            raise ExpressionError(part.position, "nothing equals null; write is_null(...)")
    _, runs = _alike(tree, of)
    return Compiled(tree.position, Kind.BOOL, _together(EQUALITY[tree.name], runs))


def _round(tree: Apply, of: Sequence[Compiled]) -> Compiled:
    _count(tree, 1, 2)
    decimals = 0
    if len(tree.of) == 2:
        decimals = _decimals(tree.of[1])
    run = _needs(of[0], Kind.NUMBER, "round")
    return Compiled(tree.position, Kind.NUMBER, _together(round_to(decimals), [run]))


def _decimals(tree: Tree) -> int:
    value = tree.value if isinstance(tree, Constant) else None
    if not isinstance(value, (int, float)) or value not in range(_MAX_DECIMALS + 1):
        message = f"decimals are a whole number from 0 to {_MAX_DECIMALS}, written out"
        raise ExpressionError(tree.position, message)
    return int(value)


def _coalesce(tree: Apply, of: Sequence[Compiled]) -> Compiled:
    _count(tree, 2, 100)
    kind, runs = _alike(tree, of)
    return Compiled(tree.position, kind, _together(first_present, runs))


def _if(tree: Apply, of: Sequence[Compiled]) -> Compiled:
    _count(tree, 3, 3)
    condition = _needs(of[0], Kind.BOOL, "if")
    kind, runs = _alike(tree, of[1:])
    return Compiled(tree.position, kind, _together(choose, [condition, *runs]))


def _is_null(tree: Apply, of: Sequence[Compiled]) -> Compiled:
    _count(tree, 1, 1)
    return Compiled(tree.position, Kind.BOOL, _together(is_null, [of[0].run]))


_SPECIAL = {"round": _round, "coalesce": _coalesce, "if": _if, "is_null": _is_null}
