"""JsonToDataframe: the first node of a notebook's graph."""

from __future__ import annotations

from typing import Any, ClassVar

from worker.batch import Batch, ColumnType, DType
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature


class JsonToDataframeParams(Params):
    """Sample data of the notebook, as JSON text or data; not read in a stream."""

    json_payload: str | dict[str, Any] | list[Any] | None = None


class JsonToDataframe(Node[JsonToDataframeParams]):
    """Passes every column on: in a stream, events have been read when they reach the graph.

    In a notebook it turns ``json_payload``, records or columns, into the data of its message. When
    a graph is published without a schema, the payload is a sample that decides types which the
    nodes leave open; it is not published itself. A graph that is served reads events by the
    source's schema.
    """

    Params = JsonToDataframeParams
    EXAMPLE: ClassVar = Example(
        params={"json_payload": '{"age": {"0": 31}}'},
        types={"age": ColumnType(DType.INT64)},
        given={"age": [31, None]},
        gives={"age": [31, None]},
    )

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Nothing to check."""
        return Signature((), {})

    def process(self, batch: Batch) -> Batch:
        """The batch as it is."""
        return batch
