"""What the operators and functions of an expression take, give and do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from worker.nodes._expression.cells import Cells, Kind, numbers
from worker.nodes._floats import round_floats

NUMBER, TEXT, BOOL = Kind.NUMBER, Kind.TEXT, Kind.BOOL


@dataclass(frozen=True, slots=True)
class Function:
    """One operator or function.

    Attributes:
        takes: the kinds of its operands; the last one may be repeated where ``most`` is more.
        gives: the kind of its result.
        call: what it does.
        most: how many operands it takes at most.
    """

    takes: tuple[Kind, ...]
    gives: Kind
    call: Callable[..., Cells]
    most: int = 0


def _missing(*of: Cells) -> Any:
    return reduce(np.logical_or, [cells.missing for cells in of])


def _arithmetic(calculate: Callable[..., Any]) -> Callable[..., Cells]:
    def call(*of: Cells) -> Cells:
        return numbers(reduce(calculate, [cells.values for cells in of]), _missing(*of))

    return call


def _unary(calculate: Callable[[Any], Any]) -> Callable[[Cells], Cells]:
    return lambda cells: numbers(calculate(cells.values), cells.missing)


def _compared(calculate: Callable[[Any, Any], Any]) -> Callable[[Cells, Cells], Cells]:
    def call(left: Cells, right: Cells) -> Cells:
        operands = (left.values, right.values)
        if left.whole is not None and right.whole is not None:
            operands = (left.whole, right.whole)
        held = np.asarray(calculate(*operands), dtype=np.bool_)
        return Cells(held, _missing(left, right))

    return call


def _texts(change: Callable[[str], Any], dtype: Any) -> Callable[[Cells], Cells]:
    def call(cells: Cells) -> Cells:
        flat = cells.values.reshape(-1).tolist()
        held = np.fromiter(map(change, flat), dtype, len(flat))
        return Cells(held.reshape(cells.values.shape), cells.missing)

    return call


def _and(left: Cells, right: Cells) -> Cells:
    no = (~left.values & ~left.missing) | (~right.values & ~right.missing)
    return Cells(left.values & right.values, _missing(left, right) & ~no)


def _or(left: Cells, right: Cells) -> Cells:
    yes = (left.values & ~left.missing) | (right.values & ~right.missing)
    return Cells(yes, _missing(left, right) & ~yes)


def _not(cells: Cells) -> Cells:
    return Cells(~cells.values, cells.missing)


def _joined(left: Cells, right: Cells) -> Cells:
    return Cells(np.asarray(left.values + right.values, dtype=object), _missing(left, right))


def is_null(cells: Cells) -> Cells:
    """Whether the value is missing; never missing itself."""
    return Cells(cells.missing, np.array(False))


def choose(condition: Cells, yes: Cells, no: Cells) -> Cells:
    """The one or the other; missing where the condition is."""
    values = np.where(condition.values, yes.values, no.values)
    gone = np.where(condition.values, yes.missing, no.missing)
    return Cells(values, gone | condition.missing)


def first_present(*of: Cells) -> Cells:
    """The first value that is not missing."""
    return reduce(
        lambda a, b: Cells(np.where(a.missing, b.values, a.values), a.missing & b.missing), of
    )


def round_to(decimals: int) -> Callable[[Cells], Cells]:
    """Rounds half to even; what would overflow stays."""
    return _unary(lambda values: round_floats(values, decimals))


OPERATORS: dict[str, Function] = {
    "+": Function((NUMBER, NUMBER), NUMBER, _arithmetic(np.add)),
    "-": Function((NUMBER, NUMBER), NUMBER, _arithmetic(np.subtract)),
    "*": Function((NUMBER, NUMBER), NUMBER, _arithmetic(np.multiply)),
    "/": Function((NUMBER, NUMBER), NUMBER, _arithmetic(np.divide)),
    "%": Function((NUMBER, NUMBER), NUMBER, _arithmetic(np.mod)),
    "neg": Function((NUMBER,), NUMBER, _unary(np.negative)),
    "<": Function((NUMBER, NUMBER), BOOL, _compared(np.less)),
    "<=": Function((NUMBER, NUMBER), BOOL, _compared(np.less_equal)),
    ">": Function((NUMBER, NUMBER), BOOL, _compared(np.greater)),
    ">=": Function((NUMBER, NUMBER), BOOL, _compared(np.greater_equal)),
    "and": Function((BOOL, BOOL), BOOL, _and),
    "or": Function((BOOL, BOOL), BOOL, _or),
    "not": Function((BOOL,), BOOL, _not),
}
JOIN = Function((TEXT, TEXT), TEXT, _joined)
"""The + of texts."""

EQUALITY: dict[str, Callable[..., Cells]] = {
    "==": _compared(np.equal),
    "!=": _compared(np.not_equal),
}

_MANY = 100

FUNCTIONS: dict[str, Function] = {
    "abs": Function((NUMBER,), NUMBER, _unary(np.abs)),
    "floor": Function((NUMBER,), NUMBER, _unary(np.floor)),
    "ceil": Function((NUMBER,), NUMBER, _unary(np.ceil)),
    "log": Function((NUMBER,), NUMBER, _unary(np.log)),
    "log1p": Function((NUMBER,), NUMBER, _unary(np.log1p)),
    "exp": Function((NUMBER,), NUMBER, _unary(np.exp)),
    "sqrt": Function((NUMBER,), NUMBER, _unary(np.sqrt)),
    "min": Function((NUMBER, NUMBER), NUMBER, _arithmetic(np.minimum), _MANY),
    "max": Function((NUMBER, NUMBER), NUMBER, _arithmetic(np.maximum), _MANY),
    "lower": Function((TEXT,), TEXT, _texts(str.lower, np.object_)),
    "upper": Function((TEXT,), TEXT, _texts(str.upper, np.object_)),
    "length": Function((TEXT,), NUMBER, _texts(len, np.float64)),
}
SPECIAL = ("round", "coalesce", "if", "is_null")
"""Functions whose kinds depend on their operands."""
