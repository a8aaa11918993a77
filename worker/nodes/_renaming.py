"""Other names for columns, all at once, so that two may swap names."""

from __future__ import annotations

from collections.abc import Mapping

from worker.batch import ANY, ColumnType
from worker.nodes._names import distinct
from worker.nodes.base import Columns


def renamed(
    columns: Columns, path: str, mapping: Mapping[str, str]
) -> tuple[dict[str, ColumnType], tuple[str, ...]]:
    """What is written and removed; old names must exist, a new one may not be that of another.

    Args:
        columns: takes the problems.
        path: of the mapping.
        mapping: old name -> new name.
    """
    writes = {}
    for old, new in mapping.items():
        writes[new] = columns.need(f"{path}.{old}", old, ANY, vector=None)
        if new in columns and new not in mapping:
            columns.problem(f"{path}.{old}", f"column '{new}' exists already; Drop it first")
    distinct(columns, ((f"{path}.{old}", new) for old, new in mapping.items()))
    return writes, tuple(old for old in mapping if old not in writes)
