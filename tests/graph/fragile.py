"""Node kinds of a foreign package, for tests: what real nodes must not do, and how one installs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from worker.batch import ANY, FLOATS, Batch, ColumnType, DType
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature
from worker.nodes.registry import kinds

POISON = 666.0


class FragileParams(Params):
    """The column that may hold poison."""

    column: str


class Fragile(Node[FragileParams]):
    """Drops what is below zero, but raises on a batch in which any row has `POISON`."""

    Params = FragileParams
    EXAMPLE: ClassVar = Example(
        params={"column": "a"},
        types={"a": ColumnType(DType.FLOAT64)},
        given={"a": [1.0]},
        gives={"a": [1.0]},
    )

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """One number."""
        columns.need("column", self.params.column, FLOATS)
        return Signature((self.params.column,), {})

    def process(self, batch: Batch) -> Batch:
        """Raises with a message that quotes the whole batch."""
        values = batch[self.params.column].values
        if (values == POISON).any():
            raise ValueError(f"poison in {values.tolist()}" * 100)
        return batch.drop(values < 0, "negative")


class Undecided(Node[FragileParams]):
    """Drops and rejects the same rows: those where the column is missing."""

    Params = FragileParams
    EXAMPLE: ClassVar = Fragile.EXAMPLE

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Any column."""
        columns.need("column", self.params.column, ANY)
        return Signature((self.params.column,), {})

    def process(self, batch: Batch) -> Batch:
        """First the drop, then the rejection."""
        rows = np.asarray(batch[self.params.column].missing)
        return batch.drop(rows, "missing").reject(rows, "Missing", "is missing")


class Careless(Undecided):
    """Takes the same rows out by itself."""

    def process(self, batch: Batch) -> Batch:
        """Without a word of why."""
        return batch.take(~batch[self.params.column].missing)


@contextmanager
def installed(folder: Path) -> Iterator[None]:
    """These as an installed package offers its nodes: by entry points."""
    metadata = folder / "fragile_nodes-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: fragile-nodes\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        f"[rtml.nodes]\nFragile = {__name__}:Fragile\nUndecided = {__name__}:Undecided\n"
        f"Careless = {__name__}:Careless\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        kinds.cache_clear()
        yield
    kinds.cache_clear()
