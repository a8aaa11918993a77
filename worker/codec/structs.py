"""The typed msgspec struct that decodes one event of a schema."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal

import msgspec

from worker.batch import DType
from worker.bounds import bounds
from worker.schema import Branch, Leaf, Schema
from worker.schema.limits import INT64_MAX, INT64_MIN

_META = {
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
    "minLength": "min_length",
    "maxLength": "max_length",
}
_PYTHON: dict[DType, type] = {
    DType.FLOAT64: float,
    DType.INT64: int,
    DType.BOOL: bool,
    DType.TEXT: str,
    DType.DATETIME: datetime.datetime,
}

_WHOLE = Annotated[int, msgspec.Meta(ge=INT64_MIN, le=INT64_MAX)]


def event_struct(schema: Schema, watched: Iterable[str]) -> type[msgspec.Struct]:
    """The struct of a whole event.

    Args:
        schema: the declared fields; all of them are checked.
        watched: undeclared top-level names whose presence must be known, plain ones; the i-th is
            attribute ``w{i}``, UNSET where absent.

    Returns:
        A struct whose i-th declared member is attribute ``m{i}``, because names may be anything;
        the watched ones stand before them.
    """
    names = {f"w{i}": name for i, name in enumerate(watched)}
    extra = [(attribute, msgspec.Raw | msgspec.UnsetType, msgspec.UNSET) for attribute in names]
    made, _ = _struct(schema.root, extra, names)
    return made


def _struct(
    branch: Branch, extra: list[tuple[str, Any, Any]], names: Mapping[str, str]
) -> tuple[type[msgspec.Struct], Callable[[], msgspec.Struct]]:
    """The struct of one object, and a maker of what stands for it where it is absent."""
    fields: list[Any] = list(extra)
    rename = dict(names)
    absent: dict[str, Any] = {}
    for i, (name, member) in enumerate(branch.members.items()):
        attribute = f"m{i}"
        rename[attribute] = name
        if isinstance(member, Leaf):
            kind, default = _value_type(member), member.default
            value: Any = default
        else:
            kind, maker = _struct(member, [], {})
            value = maker()
            default = msgspec.field(default_factory=maker)
        absent[attribute] = value
        if member.required:
            fields.append((attribute, kind | None if member.nullable else kind))
        else:
            fields.append((attribute, kind | None, default))
    made = msgspec.defstruct(
        "Event",
        fields,
        rename=rename,
        kw_only=True,
        gc=False,
        forbid_unknown_fields=branch.closed,
    )
    shared = made(**absent)
    return made, lambda: shared


def _value_type(leaf: Leaf) -> Any:
    dtype = leaf.type.dtype
    if leaf.type.length is not None:
        length = leaf.type.length
        vector: Any = list[_WHOLE] if leaf.limits.get("items") == "integer" else list[float]
        return Annotated[vector, msgspec.Meta(min_length=length, max_length=length)]
    if "enum" in leaf.limits:
        return Literal[tuple(leaf.limits["enum"])]
    meta = {_META[key]: value for key, value in leaf.limits.items()}
    if dtype is DType.TEXT:
        most = bounds().max_text_length
        meta["max_length"] = min(meta.get("max_length", most), most)
    if dtype is DType.INT64:
        if "gt" not in meta:
            meta.setdefault("ge", INT64_MIN)
        if "lt" not in meta:
            meta.setdefault("le", INT64_MAX)
    if dtype is DType.DATETIME:
        meta["tz"] = True
    return Annotated[_PYTHON[dtype], msgspec.Meta(**meta)] if meta else _PYTHON[dtype]
