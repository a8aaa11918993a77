"""Operations on text: the accessor str."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, StrictBool, StrictInt, StrictStr, model_validator

from worker.batch import Column, DType
from worker.nodes._changes import Change
from worker.nodes._names import MAX_ENTRIES
from worker.nodes._pandas.operation import Kwargs, NoKwargs, Operation, PerColumn
from worker.nodes._texts import each_text
from worker.nodes.base import Columns

_TEXT = frozenset({DType.TEXT})
_SPECIAL = frozenset(".^$*+?{}[]\\|()")
_LITERAL = "regular expressions are not run, since one event could hold the worker up"


class StripKwargs(Kwargs):
    """The characters to take off; white space without them."""

    to_strip: StrictStr | None = None


class SliceKwargs(Kwargs):
    """As a slice in Python."""

    start: StrictInt | None = None
    stop: StrictInt | None = None
    step: StrictInt | None = None

    @model_validator(mode="after")
    def _moves(self) -> SliceKwargs:
        if self.step == 0:
            raise ValueError("step cannot be 0")
        return self


class ReplaceKwargs(Kwargs):
    """The text to look for, literally, its replacement, and how many to replace."""

    pat: Annotated[StrictStr, Field(min_length=1)]
    repl: StrictStr
    n: StrictInt = -1
    case: Literal[True] | None = None
    regex: StrictBool = False

    @model_validator(mode="after")
    def _literal(self) -> ReplaceKwargs:
        if self.regex and _SPECIAL & {*self.pat, *self.repl}:
            raise ValueError(f"set regex: false; {_LITERAL}")
        return self


class ContainsKwargs(Kwargs):
    """The text to look for; whether case counts; the answer for a missing value."""

    pat: StrictStr
    case: StrictBool = True
    na: StrictBool | None = None
    regex: StrictBool = True

    @model_validator(mode="after")
    def _literal(self) -> ContainsKwargs:
        if self.regex and _SPECIAL & {*self.pat}:
            raise ValueError(
                f"pat has characters of a regular expression; set regex: false to "
                f"look for them as they are; {_LITERAL}"
            )
        return self


class StartKwargs(Kwargs):
    """The text, or several of which one will do; the answer for a missing value."""

    pat: StrictStr | Annotated[list[StrictStr], Field(max_length=MAX_ENTRIES)]
    na: StrictBool | None = None


class CatKwargs(Kwargs):
    """Further columns, what stands between, and what stands for a missing value."""

    others: StrictStr | Annotated[list[StrictStr], Field(min_length=1, max_length=MAX_ENTRIES)]
    sep: StrictStr = ""
    na_rep: StrictStr | None = None


def _texts(call: Callable[[Any], Callable[[str], str]]) -> Callable[..., Change]:
    """An operation that gives text; ``call`` makes it from the keywords."""

    def make(_: Columns, kwargs: Any, __: str, ___: DType) -> Change:
        each = call(kwargs)
        return Change(DType.TEXT, lambda column: each_text(column, each, DType.TEXT))

    return make


def _len(_: Columns, __: NoKwargs, ___: str, ____: DType) -> Change:
    return Change(DType.INT64, lambda column: each_text(column, len, DType.INT64))


def _tests(call: Callable[[Any], Callable[[str], bool]]) -> Callable[..., Change]:
    """An operation that answers true or false, by ``na`` where the value is missing."""

    def make(_: Columns, kwargs: Any, __: str, ___: DType) -> Change:
        each, answer = call(kwargs), bool(kwargs.na)

        def apply(column: Column) -> Column:
            held = each_text(column, each, DType.BOOL)
            return Column(np.where(held.missing, answer, held.values))

        return Change(DType.BOOL, apply)

    return make


def _contains(kwargs: ContainsKwargs) -> Callable[[str], bool]:
    if kwargs.case:
        return lambda text: kwargs.pat in text
    if kwargs.regex:
        found = re.compile(re.escape(kwargs.pat), re.IGNORECASE)
        return lambda text: found.search(text) is not None
    upper = kwargs.pat.upper()
    return lambda text: upper in text.upper()


def _starts(method: Callable[..., bool]) -> Callable[[StartKwargs], Callable[[str], bool]]:
    def call(kwargs: StartKwargs) -> Callable[[str], bool]:
        pat = tuple(kwargs.pat) if isinstance(kwargs.pat, list) else kwargs.pat
        return lambda text: method(text, pat)

    return call


def _cat(columns: Columns, kwargs: CatKwargs, _: str, __: DType) -> Change:
    listed = isinstance(kwargs.others, list)
    others = tuple(kwargs.others) if isinstance(kwargs.others, list) else (kwargs.others,)
    for i, other in enumerate(others):
        columns.need(f"kwargs.others[{i}]" if listed else "kwargs.others", other, _TEXT)

    def apply(*parts: Column) -> Column:
        texts = [part.values.tolist() for part in parts]
        gone = np.any([part.missing for part in parts], axis=0)
        if kwargs.na_rep is not None:
            texts = [[kwargs.na_rep if t is None else t for t in part] for part in texts]
            gone[:] = False
        rows = zip(gone.tolist(), zip(*texts, strict=True), strict=True)
        joined = [None if missing else kwargs.sep.join(row) for missing, row in rows]
        return Column.of(joined, DType.TEXT)

    return Change(DType.TEXT, apply, others)


def _operation(kwargs: type[Kwargs], says: str, make: Callable[..., Change]) -> Operation[Any]:
    return PerColumn(kwargs, says, make, _TEXT)


def _plain(method: Callable[[str], str]) -> Callable[..., Change]:
    return _texts(lambda _: method)


def _stripped(method: Callable[..., str]) -> Callable[..., Change]:
    return _texts(lambda kwargs: lambda text: method(text, kwargs.to_strip))


OPERATIONS: dict[str, Operation[Any]] = {
    "str.lower": _operation(NoKwargs, "in lower case", _plain(str.lower)),
    "str.upper": _operation(NoKwargs, "in upper case", _plain(str.upper)),
    "str.strip": _operation(StripKwargs, "without blanks at both ends", _stripped(str.strip)),
    "str.lstrip": _operation(StripKwargs, "without blanks at the start", _stripped(str.lstrip)),
    "str.rstrip": _operation(StripKwargs, "without blanks at the end", _stripped(str.rstrip)),
    "str.replace": _operation(
        ReplaceKwargs,
        "with one literal text in place of another",
        _texts(lambda kwargs: lambda text: text.replace(kwargs.pat, kwargs.repl, kwargs.n)),
    ),
    "str.slice": _operation(
        SliceKwargs,
        "a part, by positions",
        _texts(lambda kwargs: lambda text: text[kwargs.start : kwargs.stop : kwargs.step]),
    ),
    "str.len": _operation(NoKwargs, "the count of code points", _len),
    "str.contains": _operation(ContainsKwargs, "whether it holds a text", _tests(_contains)),
    "str.startswith": _operation(
        StartKwargs, "whether it begins with a text", _tests(_starts(str.startswith))
    ),
    "str.endswith": _operation(
        StartKwargs, "whether it ends with a text", _tests(_starts(str.endswith))
    ),
    "str.cat": _operation(CatKwargs, "joined with other text columns", _cat),
}
