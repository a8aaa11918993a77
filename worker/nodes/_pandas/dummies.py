"""The operation get_dummies: a column for each category."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StrictStr

from worker.batch import Batch, Column, ColumnType, DType
from worker.errors import nearest
from worker.nodes._categories import CATEGORICAL, Claims, one_hot
from worker.nodes._lookup import MISSING, Lookup, fit_items, unknowns
from worker.nodes._names import MAX_ENTRIES
from worker.nodes._pandas.operation import Call, Effect, Kwargs, Named, Operation, PerFrame

Texts = Annotated[list[StrictStr], Field(max_length=MAX_ENTRIES)]
_DTYPES = {
    "bool": DType.BOOL,
    "int": DType.INT64,
    "int64": DType.INT64,
    "uint8": DType.INT64,
    "float": DType.FLOAT64,
    "float64": DType.FLOAT64,
    "float32": DType.FLOAT32,
}


class DummyKwargs(Kwargs):
    """Which columns, how the new ones are called, and their dtype."""

    columns: StrictStr | Texts = Field(default_factory=list)
    prefix: StrictStr | Texts | dict[str, StrictStr] | None = None
    prefix_sep: StrictStr = "_"
    dtype: Literal["bool", "int", "int64", "uint8", "float", "float64", "float32"] = "bool"
    drop_first: StrictBool = False
    dummy_na: StrictBool = False


class _Encoder:
    """The new columns of one source."""

    def __init__(self, lookup: Lookup, names: Sequence[str], kwargs: DummyKwargs, k: int) -> None:
        self._lookup, self._kwargs, self._k = lookup, kwargs, k
        self.names = names
        self.dtype = _DTYPES[kwargs.dtype]

    def __call__(self, column: Column) -> tuple[dict[str, Column], int]:
        codes = self._lookup.codes(column)
        dtype = ColumnType(self.dtype).numpy
        rows = [*one_hot(codes, self._k, dtype)][1 if self._kwargs.drop_first else 0 :]
        if self._kwargs.dummy_na:
            rows.append((codes == MISSING).astype(dtype))
        return dict(zip(self.names, map(Column, rows), strict=True)), unknowns(codes)


def _get_dummies(call: Call, kwargs: DummyKwargs, _: str) -> Effect:
    named = _sources(call, kwargs)
    prefixes = _prefixes(call, kwargs, [name for _, name in named])
    removed = {name for _, name in named}
    for name in call.categories:
        if name not in removed:
            message = f"'{name}' is none of the columns that are encoded{nearest(name, removed)}"
            call.columns.problem(f"categories.{name}", message)
    names = Claims(call.columns, removed)
    encoders = {}
    for (path, source), prefix in zip(named, prefixes, strict=True):
        dtype = call.columns.need(path, source, CATEGORICAL).dtype
        categories = call.categories.get(source, [])
        if not categories:
            message = f"one event knows no categories; name those of column '{source}'"
            call.columns.problem("categories", message, sure=True)
        at = f"categories.{source}"
        lookup = Lookup(fit_items(call.columns, at, categories, dtype), dtype)
        labels: list[Any] = [*categories[1 if kwargs.drop_first else 0 :]]
        if kwargs.dummy_na:
            if "nan" in labels:
                message = f"'nan' is what dummy_na calls missing values of column '{source}'"
                call.columns.problem(f"{at}[{categories.index('nan')}]", message, sure=True)
            labels.append("nan")
        new = [f"{prefix}{kwargs.prefix_sep}{label}" for label in labels]
        for i, name in enumerate(new):
            names.claim(f"{at}[{i}]", name, source)
        encoders[source] = _Encoder(lookup, new, kwargs, len(categories))
    writes = {n: ColumnType(_DTYPES[kwargs.dtype]) for e in encoders.values() for n in e.names}
    removes = tuple(sorted(removed - writes.keys()))

    def apply(batch: Batch) -> Batch:
        made: dict[str, Column] = {}
        unknown = {}
        for source, encoder in encoders.items():
            new, unknown[source] = encoder(batch[source])
            made |= new
        return batch.without(removes).with_columns(made).count_unknown(unknown)

    made_of = {name: (source,) for source, e in encoders.items() for name in e.names}
    return Effect(tuple(encoders), writes, apply, removes, made_of)


def _sources(call: Call, kwargs: DummyKwargs) -> Named:
    """Columns that are named, else those with categories, else all text columns as in pandas."""
    given = kwargs.columns
    if call.cols and given:
        message = "cols names them already; remove one of the two"
        call.columns.problem("kwargs.columns", message, sure=True)
    if call.cols:
        return call.cols
    if isinstance(given, str):
        return [("kwargs.columns", given)]
    if given:
        return [(f"kwargs.columns[{i}]", name) for i, name in enumerate(given)]
    if call.categories:
        return [(f"categories.{name}", name) for name in call.categories]
    kinds = call.columns.items()
    return [("cols", name) for name, kind in kinds if kind == ColumnType(DType.TEXT)]


def _prefixes(call: Call, kwargs: DummyKwargs, sources: list[str]) -> list[str]:
    prefix = kwargs.prefix
    if prefix is None:
        return sources
    if isinstance(prefix, str):
        return [prefix] * len(sources)
    if len(prefix) != len(sources) or (isinstance(prefix, dict) and set(prefix) != set(sources)):
        message = f"needs one for each of {', '.join(sources) or 'the columns'}"
        call.columns.problem("kwargs.prefix", message, sure=True)
        return sources
    return [prefix[s] for s in sources] if isinstance(prefix, dict) else list(prefix)


OPERATIONS: dict[str, Operation[Any]] = {
    "get_dummies": PerFrame(
        DummyKwargs, "a column for each of the `categories`, which takes its place", _get_dummies
    ),
}
