"""The closed table of operations, and why others are not in it."""

from __future__ import annotations

from typing import Any

from worker.errors import nearest
from worker.nodes._pandas import (
    arithmetic,
    binning,
    convert,
    dates,
    dummies,
    frame,
    missing,
    numbers,
    reduce,
    text,
    values,
)
from worker.nodes._pandas.operation import Operation

_GROUPS = (
    values,
    missing,
    convert,
    numbers,
    arithmetic,
    reduce,
    text,
    dates,
    binning,
    dummies,
    frame,
)

OPERATIONS: dict[str, Operation[Any]] = {
    name: operation for group in _GROUPS for name, operation in group.OPERATIONS.items()
}

ALIASES: dict[str, str] = {
    **dates.ALIASES,
    **arithmetic.ALIASES,
    "isnull": "isna",
    "notnull": "notna",
}

_NEIGHBOURS = "a row's result would depend on its neighbours, and events are scored one by one"
_FUNCTION = "a graph holds no function; calculate with Derive, or install a node kind"
_ROWS = "an event is one row; Filter keeps or drops it"

_REFUSED: dict[str, str] = {
    _NEIGHBOURS: (
        "rank cumsum cumprod cummax cummin diff shift pct_change rolling expanding ewm ffill bfill "
        "pad interpolate sort_values sort_index drop_duplicates duplicated groupby median mode std "
        "var sem quantile qcut factorize value_counts unique nunique describe agg aggregate "
        "resample corr cov idxmax idxmin nlargest nsmallest merge join concat pivot pivot_table "
        "melt crosstab explode stack unstack"
    ),
    _FUNCTION: "apply applymap transform pipe eval assign",
    _ROWS: "dropna query head tail sample filter loc iloc truncate",
}
"""Reason -> names."""


def resolve(name: str) -> str:
    """The operation's own name.

    Raises:
        ValueError: not in the table, with the reason, or the nearest name and the list.
    """
    known = ALIASES.get(name, name)
    if known in OPERATIONS:
        return known
    for reason, names in _REFUSED.items():
        if name in names.split():
            raise ValueError(f"'{name}' is refused: {reason}")
    way_out = nearest(name, OPERATIONS, limit=len(OPERATIONS))
    if "known:" not in way_out:
        way_out += f" Known: {', '.join(sorted(OPERATIONS))}"
    raise ValueError(f"no operation '{name}'{way_out}")
