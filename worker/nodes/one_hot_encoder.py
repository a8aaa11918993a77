"""OneHotEncoder: one column of zeros and ones per category."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import StrictBool

from worker.batch import Batch, Column, ColumnType, DType, Rows
from worker.nodes._categories import Categories, category_lookup
from worker.nodes._lookup import FIRST, Lookup
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature


class OneHotEncoderParams(Params):
    """Each column's categories in the order of the new columns; whether the column stays."""

    columns: Categories
    keep: StrictBool = False


class OneHotEncoder(Node[OneHotEncoderParams]):
    """Writes ``<column>_<category>`` for each category: 1 where the value is it, else 0.

    Columns are ``(n,)`` text, int64 or bool, with categories of that type; the new ones are
    ``(n,)`` float32, named as ``pandas.get_dummies`` names them (``flag_True`` for a bool). An
    unknown or missing value gives all zeros. The source column is removed unless ``keep``.
    """

    Params = OneHotEncoderParams
    EXAMPLE: ClassVar = Example(
        params={"columns": {"gender": ["female", "male"]}},
        types={"gender": ColumnType(DType.TEXT)},
        given={"gender": ["male", "female", "other", None]},
        gives={"gender_female": [0.0, 1.0, 0.0, 0.0], "gender_male": [1.0, 0.0, 0.0, 0.0]},
    )

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Needs categories of the column's type, and new columns that no other column is."""
        self._encoders: dict[str, tuple[list[str], Lookup]] = {}
        removed: set[str] = set() if self.params.keep else set(self.params.columns)
        sources: dict[str, str] = {}
        for source, categories in self.params.columns.items():
            lookup = category_lookup(columns, source, categories)
            names = [f"{source}_{category}" for category in categories]
            for i, name in enumerate(names):
                owner = sources.setdefault(name, source)
                if owner != source:
                    message = f"'{name}' is also a new column of '{owner}'; Rename one of them"
                    columns.problem(f"columns.{source}[{i}]", message)
                elif name in columns and name not in removed:
                    message = f"the new column '{name}' would replace another; Rename or Drop that"
                    columns.problem(f"columns.{source}[{i}]", message)
            self._encoders[source] = (names, lookup)
        self._removed = tuple(sorted(removed - set(sources)))
        writes = dict.fromkeys(sources, ColumnType(DType.FLOAT32))
        return Signature(tuple(self.params.columns), writes, self._removed)

    def process(self, batch: Batch) -> Batch:
        """One block per source column; the new columns are its rows."""
        new: dict[str, Column] = {}
        for source, (names, lookup) in self._encoders.items():
            block = _one_hot(lookup.codes(batch[source]), len(names))
            new.update(zip(names, map(Column, block), strict=True))
        return batch.without(self._removed).with_columns(new)


def _one_hot(codes: Rows, k: int) -> NDArray[Any]:
    """``(k, n)`` float32 with a 1 at each category's row; none for missing and unknown values."""
    # A row per category keeps each new column contiguous.
    block = np.zeros((FIRST + k, len(codes)), dtype=np.float32)
    block[codes, np.arange(len(codes))] = 1
    return block[FIRST:]
