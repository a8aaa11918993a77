"""Clip: keep numbers within bounds."""

from __future__ import annotations

from typing import Any, ClassVar

from worker.batch import NUMBERS, Batch, ColumnType, DType
from worker.nodes._changes import clipped
from worker.nodes._fit import Number, fit
from worker.nodes._names import Names, distinct
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature


class ClipParams(Params):
    """Which columns, and the bounds; an absent bound does not bind."""

    columns: Names
    lower: Number | None = None
    upper: Number | None = None


class Clip(Node[ClipParams]):
    """Replaces numbers below ``lower`` by it and above ``upper`` by it; missing stays missing.

    Columns are ``(n,)`` float32, float64 or int64 and keep their dtype.
    """

    Params = ClipParams
    EXAMPLE: ClassVar = Example(
        params={"columns": ["age"], "lower": 18, "upper": 99},
        types={"age": ColumnType(DType.FLOAT64)},
        given={"age": [7.0, 31.0, 120.0, None]},
        gives={"age": [18.0, 31.0, 99.0, None]},
    )

    _bounds: dict[str, list[Any]]

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Needs at least one bound, in order, and numbers; whole bounds for int64."""
        lower, upper = self.params.lower, self.params.upper
        if lower is None and upper is None:
            columns.problem("lower", "give lower, upper or both", sure=True)
        if lower is not None and upper is not None and lower > upper:
            columns.problem("lower", f"lower {lower} is above upper {upper}", sure=True)
        writes = {}
        self._bounds = {}
        for i, name in enumerate(self.params.columns):
            writes[name] = columns.need(f"columns[{i}]", name, NUMBERS)
            self._bounds[name] = [
                self._bound(columns, path, value, writes[name].dtype)
                for path, value in (("lower", lower), ("upper", upper))
            ]
        distinct(columns, ((f"columns[{i}]", n) for i, n in enumerate(self.params.columns)))
        return Signature(tuple(writes), writes)

    def _bound(self, columns: Columns, path: str, value: Number | None, dtype: DType) -> Any:
        try:
            return None if value is None else fit(value, dtype)
        except ValueError as error:
            columns.problem(path, str(error))
            return None

    def process(self, batch: Batch) -> Batch:
        """One pass per column, in its own dtype."""
        return batch.with_columns(
            {name: clipped(batch[name], *bounds) for name, bounds in self._bounds.items()}
        )
