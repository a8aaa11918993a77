"""Operations on columns as such: rename and drop."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StrictStr

from worker.batch import ANY
from worker.nodes._names import MAX_ENTRIES, Target, distinct
from worker.nodes._pandas.operation import Call, Effect, Kwargs, Operation, PerFrame
from worker.nodes._renaming import renamed


class RenameKwargs(Kwargs):
    """Old name -> new name."""

    columns: Annotated[dict[str, Target], Field(min_length=1, max_length=MAX_ENTRIES)]
    errors: Literal["raise"] = "raise"


class DropKwargs(Kwargs):
    """One column or several; what becomes of a name that is no column."""

    columns: StrictStr | Annotated[list[StrictStr], Field(max_length=MAX_ENTRIES)] = Field(
        default_factory=list
    )
    errors: Literal["raise", "ignore"] = "raise"


def _rename(call: Call, kwargs: RenameKwargs, _: str) -> Effect:
    mapping = kwargs.columns
    writes, removes = renamed(call.columns, "kwargs.columns", mapping)
    return Effect(
        tuple(mapping),
        writes,
        lambda batch: batch.without(removes).with_columns(
            {new: batch[old] for old, new in mapping.items()}
        ),
        removes,
        {new: (old,) for old, new in mapping.items()},
    )


def _drop(call: Call, kwargs: DropKwargs, _: str) -> Effect:
    given = kwargs.columns
    named = [*call.cols]
    if isinstance(given, str):
        named.append(("kwargs.columns", given))
    else:
        named += [(f"kwargs.columns[{i}]", name) for i, name in enumerate(given)]
    if not named:
        call.columns.problem("cols", "name the columns to drop", sure=True)
    if kwargs.errors == "ignore":
        named = [(path, name) for path, name in named if name in call.columns]
    for path, name in named:
        call.columns.need(path, name, ANY, vector=None)
    distinct(call.columns, named)
    removes = tuple(name for _, name in named)
    return Effect((), {}, lambda batch: batch.without(removes), removes)


OPERATIONS: dict[str, Operation[Any]] = {
    "rename": PerFrame(RenameKwargs, "other names for columns", _rename),
    "drop": PerFrame(DropKwargs, "without some columns", _drop),
}
