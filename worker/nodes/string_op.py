"""StringOp: lower, upper, strip, length and contains on text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from worker.batch import Batch, ColumnType, DType
from worker.nodes._names import Target
from worker.nodes._texts import each_text
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature

_CALLS: Mapping[str, Callable[[str], Any]] = {
    "lower": str.lower,
    "upper": str.upper,
    "strip": str.strip,
    "length": len,
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
            columns.problem("text", "contains needs the text to look for", sure=True)
        if params.op != "contains" and params.text is not None:
            columns.problem("text", f"{params.op} takes no text; only contains does", sure=True)
        self._into = params.into or params.column
        literal = params.text or ""
        calls = {**_CALLS, "contains": lambda text: literal in text}
        self._call, self._dtype = calls[params.op], _RESULTS.get(params.op, DType.TEXT)
        return Signature((params.column,), {self._into: ColumnType(self._dtype)})

    def process(self, batch: Batch) -> Batch:
        """One call per text; missing texts are left out and stay missing."""
        results = each_text(batch[self.params.column], self._call, self._dtype)
        return batch.with_columns({self._into: results})
