"""OneHotEncoder: one column of zeros and ones per category."""

from __future__ import annotations

from typing import ClassVar

from pydantic import StrictBool

from worker.batch import Batch, Column, ColumnType, DType
from worker.nodes._categories import Categories, Claims, category_lookup, one_hot
from worker.nodes._lookup import Lookup, unknowns
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature

_FLOAT32 = ColumnType(DType.FLOAT32).numpy


class OneHotEncoderParams(Params):
    """Each column's categories in the order of the new columns; whether the column stays."""

    columns: Categories
    keep: StrictBool = False


class OneHotEncoder(Node[OneHotEncoderParams]):
    """Writes ``<column>_<category>`` for each category: 1 where the value is it, else 0.

    Columns are ``(n,)`` text, int64 or bool, with categories of that type; the new ones are
    ``(n,)`` float32, named as ``pandas.get_dummies`` names them (``flag_True`` for a bool). An
    unknown or missing value gives all zeros; unknown ones are counted in the metric
    `rtml_unknown_values_total`. The source column is removed unless ``keep``.
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
        claimed = Claims(columns, removed)
        for source, categories in self.params.columns.items():
            lookup = category_lookup(columns, source, categories)
            names = [f"{source}_{category}" for category in categories]
            for i, name in enumerate(names):
                claimed.claim(f"columns.{source}[{i}]", name, source)
            self._encoders[source] = (names, lookup)
        sources = claimed.sources
        self._removed = tuple(sorted(removed - set(sources)))
        writes = dict.fromkeys(sources, ColumnType(DType.FLOAT32))
        return Signature(tuple(self.params.columns), writes, self._removed)

    def process(self, batch: Batch) -> Batch:
        """One block per source column; the new columns are its rows."""
        new: dict[str, Column] = {}
        unknown = {}
        for source, (names, lookup) in self._encoders.items():
            codes = lookup.codes(batch[source])
            unknown[source] = unknowns(codes)
            block = one_hot(codes, len(names), _FLOAT32)
            new.update(zip(names, map(Column, block), strict=True))
        return batch.without(self._removed).with_columns(new).count_unknown(unknown)
