"""What every node of a notebook is, and those that run a node kind of the worker."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError

from worker.authoring import frames
from worker.authoring.message import DataMsg, Outcome
from worker.authoring.plain import Plain
from worker.authoring.stored import models_for
from worker.batch import Batch
from worker.errors import ConfigError, Problem
from worker.graph.plan import Step
from worker.graph.run import Run, run_step
from worker.nodes.base import TOPIC_COLUMN, Columns, Context
from worker.nodes.base import Node as Core
from worker.nodes.registry import kinds
from worker.problems import problems_of

_SHOWN = 400
_READS_FILES = frozenset({"ONNXNode"})
"""Kinds that look at a file which need not be there before the node runs."""


class _AnyParams(BaseModel):
    """Params of a class that only the notebook has."""

    model_config = ConfigDict(extra="allow")


class Node:
    """A node: its kind and its params. What is constructed has valid params.

    Attributes:
        kind: as a graph file calls it.
        params: plain data, as a graph file would hold it.
        id: in a graph; None lets the graph choose one.
    """

    kind: ClassVar[str] = ""
    Params: ClassVar[type[BaseModel]] = _AnyParams
    EXAMPLE: ClassVar[Mapping[str, Any]] = {}
    """Params that `rtml nodes` shows, of those that only the notebook has."""

    def __init_subclass__(cls) -> None:
        """A class that names no kind is called what it is called."""
        super().__init_subclass__()
        cls.kind = cls.kind or cls.__name__

    def __init__(self, params: Mapping[str, Any] | None = None, *, id: str | None = None) -> None:
        """Takes the params as Adobe's nodes do.

        Raises:
            ConfigError: every problem of the params that needs no data to be seen.
        """
        given: object = params or {}
        if not isinstance(given, Mapping):
            message = f"must be a mapping, params={{...}}, not {type(given).__name__}"
            raise ConfigError(Problem("params", message))
        plain = Plain()
        self.params: dict[str, Any] = plain(dict(given))
        self.id = id
        told = [problem.path for problem in plain.problems]
        problems = [*plain.problems, *(p for p in self._found() if not _is_at(p.path, told))]
        if problems:
            raise ConfigError(problems)

    def checked(self) -> Any:
        """The params as the kind's own class.

        Raises:
            ConfigError: every problem, with paths inside the params.
        """
        try:
            return self.Params.model_validate(self.params)
        except ValidationError as error:
            raise ConfigError(problems_of(error, self.Params, self.params)) from error

    def process(self, msg: DataMsg | None = None, timestamp: Any = None) -> DataMsg:  # noqa: ARG002 - as Adobe's nodes take it
        """What the node makes of a message.

        Args:
            msg: from the node before; some nodes need none.
            timestamp: taken, and not used.

        Raises:
            ConfigError: every problem of the params and of the message.
        """
        return self._process(msg)

    def _found(self) -> list[Problem]:
        """What is wrong; where a param itself is, also what is with the others."""
        try:
            return list(self._problems(self.checked()))
        except ConfigError as error:
            problems = list(error.problems)
        wrong = {_head(problem.path) for problem in problems}
        kept = {name: value for name, value in self.params.items() if name not in wrong}
        try:
            sound = self.Params.model_validate(kept)
        except ValidationError:
            return problems
        return problems + [p for p in self._problems(sound) if _head(p.path) in kept]

    def _problems(self, params: Any) -> Sequence[Problem]:  # noqa: ARG002 - for kinds that have some
        """What is wrong with valid params, whatever the data are; paths inside the params."""
        return ()

    def _process(self, msg: DataMsg | None) -> DataMsg:
        raise NotImplementedError(f"{type(self).__name__} needs a method process(msg)")

    def __repr__(self) -> str:
        name = "" if self.id is None else f", id={self.id!r}"
        return f"{self.kind}(params={self.params!r}{name})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(name)}</td><td><code>{escape(_short(value))}</code></td></tr>"
            for name, value in self.params.items()
        )
        return f"<div><b>{escape(self.kind)}</b></div><table>{rows}</table>"


def _head(path: str) -> str:
    """The param in which the path lies."""
    return path.partition(".")[0].partition("[")[0]


def _is_at(path: str, places: Iterable[str]) -> bool:
    """Whether the path is one of the places, or one of them lies below it."""
    return any(place == path or place.startswith((f"{path}.", f"{path}[")) for place in places)


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def need_message(msg: DataMsg | None) -> DataMsg:
    """The message.

    Raises:
        ConfigError: there is none.
    """
    if isinstance(msg, DataMsg):
        return msg
    given = "nothing" if msg is None else type(msg).__name__
    message = f"is {given}; give the DataMsg that the node before returned, or DataMsg(frame)"
    raise ConfigError(Problem("msg", message))


def _inside(error: ConfigError) -> list[Problem]:
    """The problems of a core node, with paths inside its params."""
    return [dataclasses.replace(p, path=p.path.removeprefix("params.")) for p in error.problems]


class CoreNode(Node):
    """A node that does in the notebook what it does in the stream: the same code runs."""

    @classmethod
    def core(cls) -> type[Core[Any]]:
        """The worker's own class."""
        return kinds()[cls.kind]

    def _problems(self, params: Any) -> Sequence[Problem]:
        if self.kind in _READS_FILES:
            return ()
        try:
            self.core()(params, Columns({}, complete=False), Context(folder=None))
        except ConfigError as error:
            return _inside(error)
        return ()

    def _process(self, msg: DataMsg | None) -> DataMsg:
        message = need_message(msg)
        frame = message.frame
        batch, unfit = frames.to_batch(frame)
        done = Run(batch)
        step = self._step(batch, unfit)
        after = run_step(step, batch, done)
        labels = list(frame.index)
        left = [
            Outcome(labels[fault.row], "rejected", fault.error, fault.message)
            for fault in done.faults.values()
        ]
        left += [Outcome(labels[d.row], "dropped", d.reason) for d in done.drops.values()]
        return message.with_data(frames.to_frame(frame, batch, after, set(unfit)), left)

    def _step(self, batch: Batch, unfit: Mapping[str, str]) -> Step:
        """The node, built for these columns.

        Raises:
            ConfigError: what does not fit, and which columns of the table no node can use.
        """
        types = {name: column.type for name, column in batch.columns.items()}
        visible = {name: kind for name, kind in types.items() if name != TOPIC_COLUMN}
        params = self._ready(batch)
        context = Context(folder=Path.cwd(), models=models_for(self.kind, self.params))
        try:
            node = self.core()(params, Columns(visible), context)
        except ConfigError as error:
            hidden = [Problem(f"data.{name}", reason) for name, reason in unfit.items()]
            raise ConfigError([*_inside(error), *hidden]) from error
        kept = {n: kind for n, kind in types.items() if n not in node.signature.removes}
        return Step(self.id or self.kind, self.kind, node, (), {**kept, **node.signature.writes})

    def _ready(self, batch: Batch) -> Any:  # noqa: ARG002 - for kinds that look at the data
        """The params with which the node is built."""
        return self.checked()
