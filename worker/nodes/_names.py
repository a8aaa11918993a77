"""Column names in params: those a node may write, and lists without repetition."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field

from worker.nodes.base import Columns

MAX_ENTRIES = 10_000
"""Most entries a list or mapping in params may have."""


def _free(name: str) -> str:
    if name.startswith("@"):
        raise ValueError("names that begin with @ are reserved; choose another one")
    return name


Target = Annotated[str, Field(min_length=1), AfterValidator(_free)]
"""Name of a column that a node adds or replaces."""

Names = Annotated[list[str], Field(min_length=1, max_length=MAX_ENTRIES)]
"""Names of columns a node works on."""


def distinct(columns: Columns, paths: Iterable[tuple[str, str]]) -> None:
    """Notes a problem for each column that is named a second time.

    Args:
        columns: takes the problems.
        paths: path of a param and the name that stands there.
    """
    first: dict[str, str] = {}
    for path, name in paths:
        if name in first:
            message = f"column '{name}' is named twice, first at {first[name]}"
            columns.problem(path, message, sure=True)
        else:
            first[name] = path
