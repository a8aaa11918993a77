"""A class for each node kind of the worker, and those that do more in a notebook."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from worker.authoring.extras import need
from worker.authoring.message import DataMsg
from worker.authoring.node import CoreNode, Node, need_message
from worker.batch import Batch, DType
from worker.errors import ConfigError, Problem
from worker.graph.payload import columns_of
from worker.nodes.registry import kinds


class JsonToDataframe(CoreNode):
    """``json_payload`` as the data of a message: a list of events, or ``{column: {row: value}}``.

    Without a payload it passes a message on. In a stream the events are read before the graph.
    """

    kind = "JsonToDataframe"
    Params = kinds()["JsonToDataframe"].Params

    def _process(self, msg: DataMsg | None) -> DataMsg:
        payload = self.checked().json_payload
        if payload is None or payload == "":
            if msg is None:
                message = "gives no events; give some, or process a DataMsg"
                raise ConfigError(Problem("json_payload", message))
            return need_message(msg)
        frame = need("pandas").DataFrame(columns_of(payload))
        return DataMsg(frame) if msg is None else msg.with_data(frame)


class Pandas(CoreNode):
    """One operation of pandas, from the worker's closed table.

    ``get_dummies`` without ``categories`` takes them from the table, in order, as pandas does; in
    a graph they are those that the features behind it name.
    """

    kind = "Pandas"
    Params = kinds()["Pandas"].Params

    def _problems(self, params: Any) -> Sequence[Problem]:
        found = super()._problems(params)
        if self._is_open(params):
            found = [problem for problem in found if problem.path != "categories"]
        return found

    @staticmethod
    def _is_open(params: Any) -> bool:
        """Whether it takes its categories from the table."""
        return params.operation == "get_dummies" and not params.categories

    def _ready(self, batch: Batch) -> Any:
        params = self.checked()
        if not self._is_open(params):
            return params
        given = params.cols or params.kwargs.get("columns")
        named = [given] if isinstance(given, str) else list(given or [])
        text = [name for name, c in batch.columns.items() if c.type.dtype is DType.TEXT]
        columns = [name for name in named or text if name in batch.columns]
        found = {name: _distinct(batch, name) for name in columns}
        filled = {name: values for name, values in found.items() if values}
        return params.model_copy(update={"categories": filled}) if filled else params


def _distinct(batch: Batch, name: str) -> list[Any]:
    column = batch[name]
    if column.type.length is not None:
        return []
    return sorted({item for item in column.to_list() if item is not None})


def _named(kind: str) -> type[CoreNode]:
    core = kinds()[kind]
    body = {"kind": kind, "Params": core.Params, "__doc__": core.__doc__, "__module__": __name__}
    return type(kind, (CoreNode,), body)


OWN: dict[str, type[Node]] = {"JsonToDataframe": JsonToDataframe, "Pandas": Pandas}


@functools.cache
def core_class(kind: str) -> type[Node]:
    """The notebook's class of a node kind, also of an installed package's.

    Raises:
        KeyError: there is no such kind.
    """
    return OWN[kind] if kind in OWN else _named(kind)
