"""FieldTrans: columns to the types of a schema, with defaults."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from worker.batch import ANY, Batch, ColumnType, DType
from worker.nodes._casting import cast, obstacle
from worker.nodes._changes import Change, Changes, filled
from worker.nodes._fit import Invalid, Scalar, fit
from worker.nodes._instants import instants
from worker.nodes._names import MAX_ENTRIES
from worker.nodes.base import TOPIC_COLUMN, Columns, Context, Example, Node, Params, Signature

_EPOCH = (DType.TEXT, DType.INT64, DType.FLOAT64)


class FieldSpec(Params):
    """What a field becomes: its type, what stands for a missing value, and for an unfit one."""

    type: DType | None = None
    default: Scalar | None = None
    invalid: Invalid = "reject"


class FieldTransParams(Params):
    """Column -> its field; whether columns that are not named stay."""

    fields: Annotated[dict[str, FieldSpec], Field(min_length=1, max_length=MAX_ENTRIES)]
    others: Literal["keep", "drop"] = "keep"


class FieldTrans(Node[FieldTransParams]):
    """Brings columns into the types of a schema and fills what is missing with defaults.

    ``type`` converts as `Cast` does; datetime is read as by `ToDatetime`, numbers as milliseconds
    since 1970. A value that has no counterpart is rejected (CastError, DatetimeError), or with
    ``invalid: missing`` counts as missing. ``default``, of the new type, then stands where the
    value is missing. With ``others: drop`` only the named columns stay. Vectors ``(n, k)`` convert
    between numbers and bool, and have no default.
    """

    Params = FieldTransParams
    EXAMPLE: ClassVar = Example(
        params={
            "fields": {
                "age": {"type": "int64", "default": 40},
                "at": {"type": "datetime", "invalid": "missing"},
            }
        },
        types={"age": ColumnType(DType.TEXT), "at": ColumnType(DType.TEXT)},
        given={"age": ["31", None, "old"], "at": ["2024-03-01", "soon", None]},
        gives={"age": [31, 40], "at": ["2024-03-01T00:00:00.000Z", None]},
    )

    _changes: Changes

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """There must be a way to each type, and defaults must fit it."""
        writes: dict[str, ColumnType] = {}
        changes: dict[str, tuple[str, Change]] = {}
        self._defaults: dict[str, Any] = {}
        for name, field in self.params.fields.items():
            path = f"fields.{name}"
            source = columns.need(path, name, ANY, vector=None)
            target = field.type or source.dtype
            writes[name] = ColumnType(target, source.length)
            if field.type is None and field.default is None:
                columns.problem(path, "give type, default or both", sure=True)
            changes[name] = (name, self._change(columns, f"{path}.type", source, target, field))
            if field.default is not None:
                self._default(columns, f"{path}.default", writes[name], name, field.default)
        self._changes = Changes(changes)
        kept = {*writes, TOPIC_COLUMN}
        drop = self.params.others == "drop"
        removes = tuple(name for name in columns if drop and name not in kept)
        return Signature(tuple(writes), writes, removes, {name: (name,) for name in writes})

    def _change(
        self, columns: Columns, path: str, source: ColumnType, target: DType, field: FieldSpec
    ) -> Change:
        if target is DType.DATETIME and source.dtype in _EPOCH and source.length is None:
            error = "DatetimeError" if field.invalid == "reject" else ""
            way_out = "correct the event or set invalid: missing"
            return Change(target, instants, error=error, way_out=way_out)
        way_out = obstacle(source, target)
        if way_out:
            columns.problem(path, f"is {source} and cannot become {target}; {way_out}")
        return cast(target, field.invalid)

    def _default(
        self, columns: Columns, path: str, kind: ColumnType, name: str, default: Scalar
    ) -> None:
        if kind.length is not None:
            columns.problem(path, f"'{name}' is {kind}; a vector has no default")
            return
        try:
            self._defaults[name] = fit(default, kind.dtype)
        except ValueError as error:
            columns.problem(path, str(error))

    def process(self, batch: Batch) -> Batch:
        """One pass per column; a row is rejected for the first column that fails."""
        changed = self._changes(batch).without(self.signature.removes)
        return changed.with_columns(
            {name: filled(changed[name], fill) for name, fill in self._defaults.items()}
        )
