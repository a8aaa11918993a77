"""Tables of values: translated by them, or changed where they say so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker.batch import Column, DType
from worker.nodes._fit import Scalar, common_dtype, fit
from worker.nodes._lookup import FIRST, Lookup, fit_keys, unknowns
from worker.nodes.base import Columns


class Translation:
    """Each value becomes the one that a table has for it.

    Attributes:
        dtype: of the results: text, bool, int64 or float64, as the table's values are.
    """

    def __init__(
        self,
        columns: Columns,
        path: str,
        mapping: Mapping[Scalar, Scalar | None],
        source: DType,
        default: Scalar | None = None,
    ) -> None:
        """Notes keys that do not fit the source, and values of several types.

        Args:
            columns: takes the problems.
            path: of the param that is the table.
            mapping: value -> result; None is missing.
            source: dtype of the columns to come.
            default: for values that are no key.
        """
        self._lookup = Lookup(fit_keys(columns, path, mapping, source), source)
        values = [None, default, *mapping.values()]
        self.dtype = DType.TEXT
        try:
            self.dtype = common_dtype(values)
            values = [None if value is None else fit(value, self.dtype) for value in values]
        except ValueError as error:
            columns.problem(path, str(error))
            values = []
        self._table = Column.of(values, self.dtype)

    def __call__(self, column: Column) -> tuple[Column, int]:
        """One lookup per row; missing stays missing. The number is that of values without key."""
        codes = self._lookup.codes(column)
        return self._table.take(codes), unknowns(codes)


class Replacement:
    """Values that are keys of a table become what it has for them; every other one is kept."""

    def __init__(
        self, columns: Columns, path: str, mapping: Mapping[Scalar, Scalar | None], dtype: DType
    ) -> None:
        """Notes keys and values that do not fit the dtype, which stays.

        Args:
            columns: takes the problems.
            path: of the param that is the table.
            mapping: value -> its replacement; None is missing.
            dtype: of the columns to come.
        """
        self._lookup = Lookup(fit_keys(columns, path, mapping, dtype), dtype)
        values: list[Any] = []
        for key, value in mapping.items():
            try:
                values.append(None if value is None else fit(value, dtype))
            except ValueError as error:
                columns.problem(f"{path}.{key}", str(error))
        self._table = Column.of(values, dtype)

    def __call__(self, column: Column) -> Column:
        """One lookup per row; only the rows that change are written."""
        codes = self._lookup.codes(column)
        changed = codes >= FIRST
        if not changed.any():
            return column
        new = self._table.take(codes[changed] - FIRST)
        values, valid = column.values.copy(), ~column.missing
        values[changed] = new.values
        valid[changed] = ~new.missing
        return Column(values, valid)
