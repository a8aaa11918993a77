"""A graph that is to be published: checked at once, written once nothing else can refuse it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from worker.cli.console import err
from worker.cli.loading import graph_path
from worker.cli.store_options import store_of

if TYPE_CHECKING:
    from pathlib import Path

    from worker.graph.plan import Plan
    from worker.graph.spec import GraphSpec
    from worker.settings import Settings


class Candidate:
    """What a graph file says, or what follows from a notebook's DSL in it.

    Attributes:
        spec: the graph.
    """

    def __init__(self, graph: Path, settings: Settings, name: str | None) -> None:
        """Reads and checks it; a notebook's DSL is called by ``name``, else by its file's.

        Raises:
            ConfigError: every problem, with file and line.
            StoreError: the store cannot be reached.
        """
        from worker.graph.complete import complete, is_bare
        from worker.graph.text import read

        path = graph_path(graph)
        self._folder, self._store = path.parent, store_of(settings)
        self._document = read(path)
        self._name = (name or path.stem) if is_bare(self._document.data) else None
        data = self._document.data
        with self._located():
            self.spec = self._checked(data if self._name is None else complete(data, self._name))
        if self._name is not None:
            self._tell()

    async def keep(self, present: Mapping[str, Any]) -> None:
        """An update that names no topics and no schema keeps those of the present version.

        Raises:
            ConfigError: the DSL does not fit them, with file and line.
            StoreError: the store cannot be reached.
        """
        from worker.graph.complete import complete

        if self._name is None:
            return
        source, sink = present["source"], present["sink"]
        with self._located():
            data = complete(self._document.data, self._name, source, sink, source["schema"])
            self.spec = await asyncio.to_thread(self._checked, data)
        self._tell()

    async def stored(self) -> tuple[GraphSpec, Plan]:
        """The graph without files beside it: its models are pushed.

        Raises:
            ConfigError: a model that the store refuses, with file and line.
            StoreError: the store cannot be reached.
        """
        from worker.services.document import stored

        with self._located():
            return await asyncio.to_thread(stored, self.spec, self._folder, self._store)

    def _checked(self, data: object) -> GraphSpec:
        from worker.errors import ConfigError
        from worker.graph.payload import without_payload
        from worker.graph.prepare import further_problems
        from worker.graph.spec import parse
        from worker.services.document import check

        try:
            spec = parse(data)
        except ConfigError as error:
            others = further_problems(data, self._folder, lambda: self._store)
            raise ConfigError([*error.problems, *others]) from error
        if self._name is not None and isinstance(data, Mapping):
            spec = parse(without_payload(data))
        with err.status("checking the graph and its models"):
            return check(spec, self._folder, self._store)

    def _tell(self) -> None:
        """What nobody named is said."""
        source, fields = self.spec.source, self.spec.source.event_schema
        names = ", ".join(fields.get("properties", {})) if isinstance(fields, dict) else fields
        told = f"events: {source.topic} ({names}), scored: {self.spec.sink.topic}"
        err.print(told, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def _located(self) -> Iterator[None]:
        from worker.errors import ConfigError

        try:
            yield
        except ConfigError as error:
            locate = self._document.locate
            raise ConfigError(p if p.file else locate(p) for p in error.problems) from error
