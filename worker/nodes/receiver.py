"""Receiver: where events enter a graph."""

from __future__ import annotations

from typing import ClassVar

from worker.batch import ANY, Batch, ColumnType, DType
from worker.nodes._names import Names, distinct
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature
from worker.nodes.route import Topic


class ReceiverParams(Params):
    """The topic that events are expected from, and the columns that must be there."""

    topic: Topic | None = None
    fields: Names | None = None


class Receiver(Node[ReceiverParams]):
    """Marks the source of events and passes every column on.

    Which topic is read, the graph's ``source`` says; ``topic`` here is a note for readers.
    ``fields`` are checked: each must reach the node.
    """

    Params = ReceiverParams
    EXAMPLE: ClassVar = Example(
        params={"topic": "visits", "fields": ["age"]},
        types={"age": ColumnType(DType.INT64)},
        given={"age": [31, None]},
        gives={"age": [31, None]},
    )

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Every named field must be there."""
        named = [(f"fields[{i}]", name) for i, name in enumerate(self.params.fields or ())]
        for path, name in named:
            columns.need(path, name, ANY, vector=None)
        distinct(columns, named)
        return Signature((), {})

    def process(self, batch: Batch) -> Batch:
        """The batch as it is."""
        return batch
