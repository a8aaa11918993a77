"""Simulator: made-up events from a schema, as the data of a message."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, StrictInt, StrictStr

from worker.authoring.extras import need
from worker.authoring.message import DataMsg
from worker.authoring.node import Node
from worker.dataset.simulate import simulate
from worker.errors import ConfigError, Problem
from worker.graph.payload import columns_of
from worker.graph.text import read
from worker.nodes.base import Params
from worker.schema import Schema, parse

_MAX_EVENTS = 1_000_000


class SimulatorParams(Params):
    """A JSON Schema or a file with one, how many events, and what the draw begins with."""

    event_schema: dict[str, Any] | StrictStr = Field(alias="schema")
    events: Annotated[StrictInt, Field(ge=1, le=_MAX_EVENTS)] = 100
    seed: Annotated[StrictInt, Field(ge=0)] = 0


class Simulator(Node):
    """Events that keep a schema; the same seed gives the same events."""

    kind = "Simulator"
    Params = SimulatorParams
    EXAMPLE: ClassVar = {"schema": "schema.json", "events": 1000, "seed": 1}

    def _problems(self, params: Any) -> Sequence[Problem]:
        if not isinstance(params.event_schema, dict):
            return ()  # the file need not be there yet
        try:
            _schema(params.event_schema)
        except ConfigError as error:
            return error.problems
        return ()

    def _process(self, msg: DataMsg | None) -> DataMsg:
        params = self.checked()
        schema = _schema(params.event_schema)
        events = list(itertools.islice(simulate(schema, params.seed), params.events))
        cells = columns_of(events)
        names = [*schema.columns, *(name for name in cells if name not in schema.columns)]
        rows = {name: cells.get(name, [None] * params.events) for name in names}
        frame = need("pandas").DataFrame(rows)
        return DataMsg(frame) if msg is None else msg.with_data(frame)


def _schema(given: dict[str, Any] | str) -> Schema:
    try:
        if isinstance(given, dict):
            return parse(given)
        document = read(Path(given))
        try:
            return parse(document.data)
        except ConfigError as error:
            raise ConfigError(document.locate(problem) for problem in error.problems) from error
    except ConfigError as error:
        raise ConfigError(p if p.file else p.within("schema") for p in error.problems) from error
