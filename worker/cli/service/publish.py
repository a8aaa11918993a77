"""``rtml service publish`` and ``update``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.console import Output, OutputOption, err
from worker.cli.kafka_options import (
    PARTITIONS,
    WAIT_S,
    BrokersOption,
    PartitionsOption,
    Waiting,
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
from worker.cli.store_options import StoreOption, store_for

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
    spec, plan = _published(graph, store)

    async def use(journal: Journal, settings: Settings) -> Outcome:
        from worker.services import deploy
        from worker.services.location import DEFAULT_LOCATION

        if create_topics:
            await deploy.make_topics(settings, plan, partitions, WAIT_S, Waiting())
        return await deploy.publish(
            journal,
            spec,
            plan,
            location=location or settings.location or DEFAULT_LOCATION,
            service_id=service_id,
            wait_s=wait_of(wait, no_wait=no_wait),
        )

    tell(changed(brokers, use), "served", output, no_wait=no_wait)


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
    spec, plan = _published(graph, store)

    async def use(journal: Journal, settings: Settings) -> Outcome:
        from worker.services import deploy

        journal.registry.find(service_id)
        if create_topics:
            await deploy.make_topics(settings, plan, partitions, WAIT_S, Waiting())
        wait_s = wait_of(wait, no_wait=no_wait)
        return await deploy.update(journal, service_id, spec, plan, wait_s=wait_s)

    tell(changed(brokers, use), "served", output, no_wait=no_wait)


def _published(graph: Path, store: str | None) -> tuple[GraphSpec, Plan]:
    """The graph without files beside it.

    Raises:
        ConfigError: every problem, with file and line.
        StoreError: the store cannot be reached.
    """
    from worker.errors import ConfigError
    from worker.graph.spec import load
    from worker.services.document import self_contained

    path = graph_path(graph)
    spec, document = load(path)
    try:
        with err.status("checking the graph and its models"):
            return self_contained(spec, path.parent, store_for(store))
    except ConfigError as error:
        raise ConfigError(p if p.file else document.locate(p) for p in error.problems) from error
