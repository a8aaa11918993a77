"""StringOp: lower, upper, strip, length and contains on text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from worker.batch import Batch, Column, ColumnType, DType
from worker.nodes._names import Target
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature

_CHANGES: Mapping[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "strip": str.strip,
}
_RESULTS = {"length": DType.INT64, "contains": DType.BOOL}


class StringOpParams(Params):
    """Which column, what to do, the literal ``text`` for contains, and where the result goes."""

    column: str
    op: Literal["lower", "upper", "strip", "length", "contains"]
    text: str | None = Field(default=None, min_length=1, max_length=10_000)
    into: Target | None = None


class StringOp(Node[StringOpParams]):
    """Changes or measures text; missing stays missing, for every operation.

    The column is ``(n,)`` text. ``lower``, ``upper`` and ``strip`` (white space at both ends) give
    text, ``length`` (code points) int64, ``contains`` (``text`` literally, case counts) bool. They
    are Python's own str methods, so pandas' on object columns; pandas on Arrow strings maps each
    character alone and differs for a few, such as the sharp s in upper case.
    """

    Params = StringOpParams
    EXAMPLE: ClassVar = Example(
        params={"column": "brand", "op": "contains", "text": "vw", "into": "is_vw"},
        types={"brand": ColumnType(DType.TEXT)},
        given={"brand": ["vw golf", "VW", "", None]},
        gives={"is_vw": [True, False, False, None]},
    )

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Needs text, and a literal for ``contains`` only."""
        params = self.params
        columns.need("column", params.column, {DType.TEXT})
        if params.op == "contains" and params.text is None:
            columns.problem("text", "contains needs the text to look for")
        if params.op != "contains" and params.text is not None:
            columns.problem("text", f"{params.op} takes no text; only contains does")
        self._into = params.into or params.column
        result = ColumnType(_RESULTS.get(params.op, DType.TEXT))
        return Signature((params.column,), {self._into: result})

    def process(self, batch: Batch) -> Batch:
        """One call per text; missing texts are left out and stay missing."""
        column = batch[self.params.column]
        if column.valid is None:
            return batch.with_columns({self._into: Column(self._apply(column.values.tolist()))})
        results = self._apply(column.values[column.valid].tolist())
        values = np.zeros(len(column), dtype=results.dtype)
        values[column.valid] = results
        return batch.with_columns({self._into: Column(values, column.valid)})

    def _apply(self, texts: list[str]) -> np.ndarray[Any, np.dtype[Any]]:
        if self.params.op == "length":
            return np.fromiter(map(len, texts), np.int64, len(texts))
        if self.params.op == "contains":
            literal = self.params.text or ""
            return np.fromiter([literal in text for text in texts], np.bool_, len(texts))
        return np.fromiter(map(_CHANGES[self.params.op], texts), np.object_, len(texts))
