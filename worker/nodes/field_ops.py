"""FieldOps: select, drop, rename and copy columns in one node."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from worker.batch import ANY, Batch, ColumnType, DType
from worker.nodes._names import MAX_ENTRIES, Names, Target, distinct
from worker.nodes.base import TOPIC_COLUMN, Columns, Context, Example, Node, Params, Signature

Targets = Annotated[dict[str, Target], Field(min_length=1, max_length=MAX_ENTRIES)]


class FieldOpsParams(Params):
    """Which columns stay, or go; old name -> new name; source -> name of its copy."""

    select: Names | None = None
    drop: Names | None = None
    rename: Targets | None = None
    copy_: Targets | None = Field(default=None, alias="copy")


class FieldOps(Node[FieldOpsParams]):
    """Copies, renames, selects and drops columns, all at once.

    Every name is that of a column as it reaches the node, so two may swap names. With ``select``
    only the named columns stay, the renamed ones and the copies; the topic that `Route` chose stays
    too. A new name may be that of a column that goes. Columns of any type, scalars and vectors;
    missing stays missing.
    """

    Params = FieldOpsParams
    EXAMPLE: ClassVar = Example(
        params={
            "select": ["id"],
            "rename": {"_tenant.age": "age"},
            "copy": {"_tenant.age": "age_given"},
        },
        types={
            "id": ColumnType(DType.TEXT),
            "_tenant.age": ColumnType(DType.INT64),
            "note": ColumnType(DType.TEXT),
        },
        given={"id": ["a", "b"], "_tenant.age": [31, None], "note": [None, "x"]},
        gives={"id": ["a", "b"], "age": [31, None], "age_given": [31, None]},
    )

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Every name must exist, and each new one be free."""
        params = self.params
        rename, copied = params.rename or {}, params.copy_ or {}
        if not (params.select or params.drop or rename or copied):
            columns.problem("select", "give select, drop, rename or copy", sure=True)
        if params.select and params.drop:
            message = "with select the others go anyway; remove drop"
            columns.problem("drop", message, sure=True)
        gone = self._gone(columns, rename)
        writes = {}
        for key, mapping in (("rename", rename), ("copy", copied)):
            for source, target in mapping.items():
                path = f"{key}.{source}"
                writes[target] = columns.need(path, source, ANY, vector=None)
                if target in columns and target not in gone:
                    message = f"column '{target}' exists already; drop it here"
                    columns.problem(path, message)
        distinct(
            columns,
            [
                *((f"rename.{old}", new) for old, new in rename.items()),
                *((f"copy.{source}", target) for source, target in copied.items()),
            ],
        )
        self._sources = {new: old for mapping in (rename, copied) for old, new in mapping.items()}
        reads = dict.fromkeys([*(params.select or ()), *rename, *copied])
        removes = tuple(name for name in gone if name not in writes)
        made_of = {new: (old,) for new, old in self._sources.items()}
        return Signature(tuple(reads), writes, removes, made_of)

    def _gone(self, columns: Columns, rename: dict[str, str]) -> list[str]:
        """The columns that are not there afterwards, if no new one takes their names."""
        for key, listed in (("select", self.params.select), ("drop", self.params.drop)):
            named = [(f"{key}[{i}]", name) for i, name in enumerate(listed or ())]
            both = [*named, *((f"rename.{old}", old) for old in rename)]
            for path, name in named:
                columns.need(path, name, ANY, vector=None)
            distinct(columns, both)
        gone = dict.fromkeys([*rename, *(self.params.drop or ())])
        if self.params.select:
            kept = {*self.params.select, TOPIC_COLUMN}
            gone |= dict.fromkeys(name for name in columns if name not in kept)
        return list(gone)

    def process(self, batch: Batch) -> Batch:
        """No value is touched: columns are read-only and can be shared."""
        new = {target: batch[source] for target, source in self._sources.items()}
        return batch.without(self.signature.removes).with_columns(new)
