"""Derive: a new column from an expression over others."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field, StrictStr

from worker.batch import Batch, ColumnType, DType
from worker.nodes._expression.cells import Kind, Run, to_column
from worker.nodes._expression.compile import KINDS, Compiled, check_functions, compiled, names
from worker.nodes._expression.parse import Tree, parse
from worker.nodes._expression.tokens import ExpressionError
from worker.nodes._names import Target
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature

_RESULTS = {Kind.NUMBER: DType.FLOAT64, Kind.TEXT: DType.TEXT, Kind.BOOL: DType.BOOL}


class DeriveParams(Params):
    """The column for the result, and the expression."""

    into: Target
    expression: Annotated[StrictStr, Field(min_length=1)]


class Derive(Node[DeriveParams]):
    """Calculates ``into`` from an expression such as ``price * (1 + tax) > 100 and open``.

    Numbers, 'texts', true, false, null; columns by name, in backticks where a name has other signs
    than letters, digits, ``_`` and dots; ``+ - * / %`` (``+`` joins texts), ``== != < <= > >=``,
    ``and or not``, brackets; abs, min, max, round(x, decimals), floor, ceil, log, log1p, exp, sqrt,
    lower, upper, length, coalesce(a, b, ...), if(condition, a, b), is_null. Columns are ``(n,)``
    text, bool or numbers, which are calculated with as float64; ``%`` has the divisor's sign. int64
    columns are compared with each other and with whole numbers exactly, so ids keep their digits.

    A missing operand makes the result missing, and so does a result that is not finite, as of a
    division by zero. ``and`` and ``or`` know three values: false and missing is false, true or
    missing is true. coalesce gives the first value present; if() with a missing condition is
    missing; only is_null asks for missing ones, and nothing equals null.
    """

    Params = DeriveParams
    EXAMPLE: ClassVar = Example(
        params={
            "into": "big",
            "expression": "price * (1 + coalesce(tax, 0.19)) > 100 and country == 'de'",
        },
        types={
            "price": ColumnType(DType.FLOAT64),
            "tax": ColumnType(DType.FLOAT64),
            "country": ColumnType(DType.TEXT),
        },
        given={
            "price": [90.0, 90.0, None, 50.0],
            "tax": [0.07, None, 0.19, None],
            "country": ["de", "de", "de", None],
        },
        gives={"big": [False, True, None, False]},
    )

    _run: Run

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """The text must be an expression, its columns must exist, and kinds must fit."""
        into = self.params.into
        try:
            tree = parse(self.params.expression)
            reads = _columns(columns, tree)
            if columns.guessed:
                check_functions(tree)
                return Signature(reads, {into: ColumnType(DType.FLOAT64)})
            kinds = {name: KINDS[columns[name].dtype] for name in reads}
            whole = {name for name in reads if columns[name].dtype is DType.INT64}
            found = _whole(compiled(tree, kinds, whole))
        except ExpressionError as error:
            columns.problem("expression", str(error), sure=True)
            return Signature((), {into: ColumnType(DType.FLOAT64)})
        if not reads:
            message = "names no column, so that it would be the same for every event"
            columns.problem("expression", message)
        self._run = found.run
        return Signature(reads, {into: ColumnType(_RESULTS[found.kind])})

    def process(self, batch: Batch) -> Batch:
        """A few passes of numpy per operator."""
        with np.errstate(all="ignore"):
            cells = self._run(batch)
        return batch.with_columns({self.params.into: to_column(cells, len(batch))})


def _columns(columns: Columns, tree: Tree) -> tuple[str, ...]:
    """Every column that the tree names, once; each that is unknown or unfit is noted."""
    found: dict[str, int] = {}
    for name in names(tree):
        found.setdefault(name.column, name.position)
    for column, position in found.items():
        columns.need("expression", column, KINDS, place=f"character {position + 1}: ")
    return tuple(found)


def _whole(found: Compiled) -> Compiled:
    if found.kind is Kind.NULL:
        raise ExpressionError(found.position, "null alone has no type")
    return found
