"""``rtml service publish`` and ``update``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.console import Output, OutputOption, err
from worker.cli.kafka_options import (
    PARTITIONS,
    WAIT_S,
    BrokersOption,
    PartitionsOption,
    Waiting,
    settings_for,
)
from worker.cli.loading import GraphArgument, graph_path
from worker.cli.service.options import (
    WAIT_SERVED_S,
    IdArgument,
    NoWaitOption,
    WaitServedOption,
    changed,
    tell,
    wait_of,
)
from worker.cli.store_options import StoreOption, store_of

if TYPE_CHECKING:
    from pathlib import Path

    from worker.graph.plan import Plan
    from worker.graph.spec import GraphSpec
    from worker.services.journal import Journal
    from worker.services.outcome import Outcome
    from worker.settings import Settings

CreateOption = Annotated[
    bool, typer.Option("--create-topics", help="Make topics that do not exist.")
]


def publish(
    graph: GraphArgument,
    location: Annotated[
        str | None, typer.Option(help="Of the workers; default: RTML_LOCATION, or edge.")
    ] = None,
    service_id: Annotated[
        str | None, typer.Option("--id", help="Default: the graph's name and something unique.")
    ] = None,
    store: StoreOption = None,
    create_topics: CreateOption = False,
    partitions: PartitionsOption = PARTITIONS,
    wait: WaitServedOption = WAIT_SERVED_S,
    no_wait: NoWaitOption = False,
    brokers: BrokersOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Make a service of a graph; return when every worker of the location serves it.

    Models beside the graph are pushed to the model store, which the workers must reach as well.
    """
    from worker.services import deploy
    from worker.services.location import DEFAULT_LOCATION
    from worker.services.names import require_free, require_names

    settings = settings_for(brokers, store)
    place = location or settings.location or DEFAULT_LOCATION
    require_names(service_id, place)
    candidate = Candidate(graph, settings)

    async def use(journal: Journal, settings: Settings) -> Outcome:
        chosen = service_id or deploy.new_id(candidate.spec.name)
        require_free(journal, chosen, place)
        spec, plan = await candidate.stored()
        if create_topics:
            await deploy.make_topics(settings, plan, partitions, WAIT_S, Waiting())
        wait_s = wait_of(wait, no_wait=no_wait)
        return await deploy.publish(
            journal, spec, plan, location=place, service_id=chosen, wait_s=wait_s
        )

    tell(changed(settings, use), "served", output, no_wait=no_wait)


def update(
    service_id: IdArgument,
    graph: GraphArgument,
    store: StoreOption = None,
    create_topics: CreateOption = False,
    partitions: PartitionsOption = PARTITIONS,
    wait: WaitServedOption = WAIT_SERVED_S,
    no_wait: NoWaitOption = False,
    brokers: BrokersOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Serve another graph under the same id; until it is loaded, the present one is served."""
    settings = settings_for(brokers, store)
    candidate = Candidate(graph, settings)

    async def use(journal: Journal, settings: Settings) -> Outcome:
        from worker.services import deploy

        journal.registry.find(service_id)
        spec, plan = await candidate.stored()
        if create_topics:
            await deploy.make_topics(settings, plan, partitions, WAIT_S, Waiting())
        wait_s = wait_of(wait, no_wait=no_wait)
        return await deploy.update(journal, service_id, spec, plan, wait_s=wait_s)

    tell(changed(settings, use), "served", output, no_wait=no_wait)


class Candidate:
    """A graph that is to be published: checked at once, written once nothing else can refuse it.

    Attributes:
        spec: the graph as it stands in its file.
    """

    def __init__(self, graph: Path, settings: Settings) -> None:
        """Reads and checks it.

        Raises:
            ConfigError: every problem, with file and line.
            StoreError: the store cannot be reached.
        """
        from worker.graph.spec import load
        from worker.services.document import check

        path = graph_path(graph)
        self._folder, self._store = path.parent, store_of(settings)
        self.spec, self._document = load(path)
        with err.status("checking the graph and its models"), self._located():
            check(self.spec, self._folder, self._store)

    async def stored(self) -> tuple[GraphSpec, Plan]:
        """The graph without files beside it: its models are pushed.

        Raises:
            ConfigError: a model that the store refuses, with file and line.
            StoreError: the store cannot be reached.
        """
        from worker.services.document import stored

        with self._located():
            return await asyncio.to_thread(stored, self.spec, self._folder, self._store)

    @contextmanager
    def _located(self) -> Iterator[None]:
        from worker.errors import ConfigError

        try:
            yield
        except ConfigError as error:
            locate = self._document.locate
            raise ConfigError(p if p.file else locate(p) for p in error.problems) from error
