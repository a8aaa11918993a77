"""Replace: change some values, keep the others."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from worker.batch import ANY, Batch, Column, ColumnType, DType
from worker.nodes._fit import Scalar, fit
from worker.nodes._lookup import FIRST, Lookup, fit_keys
from worker.nodes._names import MAX_ENTRIES, Target
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature


class ReplaceParams(Params):
    """Value -> its replacement; null is missing."""

    column: str
    mapping: dict[Scalar, Scalar | None] = Field(min_length=1, max_length=MAX_ENTRIES)
    into: Target | None = None


class Replace(Node[ReplaceParams]):
    """Replaces the values that are keys of ``mapping``; every other value is kept.

    Missing stays missing, and a value that is mapped to null becomes missing. The dtype stays.
    """

    Params = ReplaceParams
    EXAMPLE: ClassVar = Example(
        params={"column": "brand", "mapping": {"vw": "volkswagen", "?": None}},
        types={"brand": ColumnType(DType.TEXT)},
        given={"brand": ["vw", "lada", "?", None]},
        gives={"brand": ["volkswagen", "lada", None, None]},
    )

    _lookup: Lookup
    _table: Column

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Keys and values must fit the column."""
        params = self.params
        found = columns.need("column", params.column, ANY - {DType.DATETIME})
        dtype = found.dtype
        self._lookup = Lookup(fit_keys(columns, "mapping", params.mapping, dtype), dtype)
        values: list[Any] = []
        for key, value in params.mapping.items():
            try:
                values.append(None if value is None else fit(value, dtype))
            except ValueError as error:
                columns.problem(f"mapping.{key}", str(error))
        self._table = Column.of(values, dtype)
        return Signature((params.column,), {params.into or params.column: found})

    def process(self, batch: Batch) -> Batch:
        """One lookup per row; only the rows that change are written."""
        column = batch[self.params.column]
        codes = self._lookup.codes(column)
        changed = codes >= FIRST
        if changed.any():
            new = self._table.take(codes[changed] - FIRST)
            values, valid = column.values.copy(), ~column.missing
            values[changed] = new.values
            valid[changed] = ~new.missing
            column = Column(values, valid)
        return batch.with_columns({self.params.into or self.params.column: column})
