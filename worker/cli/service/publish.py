"""``rtml service publish`` and ``update``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.console import Output, OutputOption
from worker.cli.gather import Gathered
from worker.cli.kafka_options import (
    PARTITIONS,
    WAIT_S,
    BrokersOption,
    PartitionsOption,
    Waiting,
    settings_for,
)
from worker.cli.loading import GraphArgument, load_graph
from worker.cli.service.candidate import Candidate
from worker.cli.service.options import (
    WAIT_SERVED_S,
    IdArgument,
    NoWaitOption,
    WaitServedOption,
    changed,
    tell,
    wait_of,
)
from worker.cli.store_options import StoreOption

if TYPE_CHECKING:
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

    Models beside the graph are pushed to the model store, which the workers must reach as well. A
    notebook's DSL without topics and schema gets them as in the notebook: ``<id>-events``,
    ``<id>-scored``, and the fields that its nodes ask for.
    """
    from worker.services import deploy
    from worker.services.location import DEFAULT_LOCATION
    from worker.services.names import require_free, require_names

    found, place = Gathered(), location or DEFAULT_LOCATION
    with found.more():
        settings = settings_for(brokers, model_store=store)
        place = location or settings.location or DEFAULT_LOCATION
    with found.more():
        require_names(service_id, place)
    with found.more():
        if found.problems:
            load_graph(graph)
        else:
            candidate = Candidate(graph, settings, service_id)
    found.check()

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
    """Serve another graph under the same id; until it is loaded, the present one is served.

    A notebook's DSL without topics and schema keeps those of the present version.
    """
    found = Gathered()
    with found.more():
        settings = settings_for(brokers, model_store=store)
    with found.more():
        if found.problems:
            load_graph(graph)
        else:
            candidate = Candidate(graph, settings, service_id)
    found.check()

    async def use(journal: Journal, settings: Settings) -> Outcome:
        from worker.services import deploy

        present = journal.registry.version(journal.registry.find(service_id))
        await candidate.keep(present.graph)
        spec, plan = await candidate.stored()
        if create_topics:
            await deploy.make_topics(settings, plan, partitions, WAIT_S, Waiting())
        wait_s = wait_of(wait, no_wait=no_wait)
        return await deploy.update(journal, service_id, spec, plan, wait_s=wait_s)

    tell(changed(settings, use), "served", output, no_wait=no_wait)
