"""OrdinalEncoder: categories to their positions."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from worker.batch import Batch, Column, ColumnType, DType
from worker.nodes._categories import Categories, category_lookup
from worker.nodes._lookup import FIRST, UNKNOWN, Lookup, unknowns
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature


class OrdinalEncoderParams(Params):
    """Each column's categories in the order of their codes, and the code of all other values."""

    columns: Categories
    unknown: Annotated[int, Field(strict=True, ge=-(2**63), le=2**63 - 1)] = -1


class OrdinalEncoder(Node[OrdinalEncoderParams]):
    """Replaces each category by its position from 0, other values by ``unknown``.

    Columns are ``(n,)`` text, int64 or bool, with categories of that type; they become int64.
    Missing stays missing. Other values are counted in the metric `rtml_unknown_values_total`.
    """

    Params = OrdinalEncoderParams
    EXAMPLE: ClassVar = Example(
        params={"columns": {"size": ["small", "medium", "large"]}},
        types={"size": ColumnType(DType.TEXT)},
        given={"size": ["large", "small", "huge", None]},
        gives={"size": [2, 0, -1, None]},
    )

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Needs categories of the column's type, and an ``unknown`` that is no category's code."""
        self._encoders: dict[str, tuple[Lookup, NDArray[np.int64]]] = {}
        for name, categories in self.params.columns.items():
            if 0 <= self.params.unknown < len(categories):
                taken = categories[self.params.unknown]
                columns.problem(
                    "unknown", f"{self.params.unknown} is the code of {taken!r}", sure=True
                )
            # From the lookup's codes to the node's: a missing value, an unknown one, the positions.
            positions = np.arange(-FIRST, len(categories))
            positions[UNKNOWN] = self.params.unknown
            self._encoders[name] = (category_lookup(columns, name, categories), positions)
        writes = dict.fromkeys(self._encoders, ColumnType(DType.INT64))
        return Signature(tuple(self._encoders), writes)

    def process(self, batch: Batch) -> Batch:
        """One lookup per value."""
        new, unknown = {}, {}
        for name, (lookup, positions) in self._encoders.items():
            column = batch[name]
            codes = lookup.codes(column)
            unknown[name] = unknowns(codes)
            new[name] = Column(positions[codes], column.valid)
        return batch.with_columns(new).count_unknown(unknown)
