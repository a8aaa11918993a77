"""Route: the sink topic of each row, by a column's value."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from worker.batch import ANY, Batch, Column, ColumnType, DType
from worker.nodes._fit import Scalar
from worker.nodes._lookup import Lookup, fit_keys
from worker.nodes._names import MAX_ENTRIES
from worker.nodes.base import (
    TOPIC_COLUMN,
    Columns,
    Context,
    Example,
    Node,
    Params,
    Signature,
)


def _not_dots(topic: str) -> str:
    if topic in (".", ".."):
        raise ValueError("a topic cannot be called . or ..")
    return topic


Topic = Annotated[
    str,
    Field(min_length=1, max_length=249, pattern=r"^[a-zA-Z0-9._-]+$"),
    AfterValidator(_not_dots),
]
"""A name that Kafka accepts for a topic."""


class RouteParams(Params):
    """Value -> topic; these and ``default`` are all the topics the node can name."""

    column: str
    topics: dict[Scalar, Topic] = Field(min_length=1, max_length=MAX_ENTRIES)
    default: Topic | None = None


class Route(Node[RouteParams]):
    """Chooses the topic that a row's scored record goes to; the value itself stays.

    A value that is no key, and a missing one, goes to ``default``, or without one to the sink's own
    topic. A row goes to one topic: a second Route on its way decides anew. Columns are ``(n,)``;
    keys that the file writes as text fit int64, float and bool columns.
    """

    Params = RouteParams
    EXAMPLE: ClassVar = Example(
        params={"column": "risk", "topics": {"high": "tx-review"}},
        types={"risk": ColumnType(DType.TEXT)},
        given={"risk": ["high", "low", None]},
        gives={TOPIC_COLUMN: ["tx-review", None, None]},
    )

    _lookup: Lookup
    _table: Column

    @property
    def topics(self) -> tuple[str, ...]:
        """Every topic that the params name."""
        named = [*self.params.topics.values(), self.params.default]
        return tuple(dict.fromkeys(topic for topic in named if topic is not None))

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Keys must fit the column."""
        params = self.params
        dtype = columns.need("column", params.column, ANY - {DType.DATETIME}).dtype
        self._lookup = Lookup(fit_keys(columns, "topics", params.topics, dtype), dtype)
        topics = [params.default, params.default, *params.topics.values()]
        self._table = Column.of(topics, DType.TEXT)
        return Signature((params.column,), {TOPIC_COLUMN: ColumnType(DType.TEXT)})

    def process(self, batch: Batch) -> Batch:
        """One lookup per row."""
        codes = self._lookup.codes(batch[self.params.column])
        return batch.with_columns({TOPIC_COLUMN: self._table.take(codes)})
