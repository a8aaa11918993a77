"""Round: numbers to a count of decimals."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from worker.batch import NUMBERS, Batch, ColumnType, DType
from worker.nodes._changes import rounded
from worker.nodes._names import Names, distinct
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature


class RoundParams(Params):
    """Which columns, and how many decimals stay; negative ones round to tens, hundreds, ..."""

    columns: Names
    decimals: Annotated[int, Field(strict=True, ge=-15, le=15)] = 0


class Round(Node[RoundParams]):
    """Rounds numbers to ``decimals``, a half to the even neighbour; as numpy and pandas.

    Columns are ``(n,)`` float32, float64 or int64 and keep their dtype; missing stays missing.
    Numbers so large that rounding would overflow have no such decimals and stay as they are.
    """

    Params = RoundParams
    EXAMPLE: ClassVar = Example(
        params={"columns": ["price"], "decimals": 1},
        types={"price": ColumnType(DType.FLOAT64)},
        given={"price": [0.25, 0.75, -1.26, None]},
        gives={"price": [0.2, 0.8, -1.3, None]},
    )

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Needs numbers, each column once; int64 only where its exact values stay."""
        distinct(columns, ((f"columns[{i}]", name) for i, name in enumerate(self.params.columns)))
        writes = {}
        for i, name in enumerate(self.params.columns):
            writes[name] = columns.need(f"columns[{i}]", name, NUMBERS)
            if writes[name].dtype is DType.INT64 and self.params.decimals < 0:
                message = f"column '{name}' is int64; Cast it to float64 to round to tens and above"
                columns.problem("decimals", message)
        return Signature(tuple(writes), writes)

    def process(self, batch: Batch) -> Batch:
        """One pass per column; int64 has no decimals and stays."""
        decimals = self.params.decimals
        return batch.with_columns(
            {name: rounded(batch[name], decimals) for name in self.params.columns}
        )
