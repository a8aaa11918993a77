"""`rtml topics create`: the topics that a graph uses."""

from __future__ import annotations

import typer

from worker.cli.console import KAFKA, Output, OutputOption, print_json, print_rows
from worker.cli.gather import Gathered
from worker.cli.kafka_options import (
    PARTITIONS,
    WAIT_S,
    BrokersOption,
    PartitionsOption,
    Waiting,
    WaitOption,
    settings_for,
)
from worker.cli.loading import GraphArgument, load_graph


def register(app: typer.Typer) -> None:
    """Adds the group of commands."""
    example = "Example: rtml topics create graphs/breast-cancer"
    topics = typer.Typer(help="Make the topics of a graph.", epilog=example, no_args_is_help=True)
    topics.command("create", epilog=example)(create)
    app.add_typer(topics, name="topics", rich_help_panel=KAFKA)


def create(
    graph: GraphArgument,
    partitions: PartitionsOption = PARTITIONS,
    brokers: BrokersOption = None,
    wait: WaitOption = WAIT_S,
    output: OutputOption = Output.TABLE,
) -> None:
    """Make a graph's source, sinks and dead-letter topic; leave those that exist as they are."""
    found = Gathered()
    with found.more():
        settings = settings_for(brokers)
    with found.more():
        plan = load_graph(graph).plan
    found.check()
    from worker.stream.tools.make import make_topics

    made = make_topics(settings, plan, partitions, wait, Waiting())
    if output is Output.JSON:
        print_json([{"topic": m.topic, "partitions": m.partitions, "new": m.new} for m in made])
        return
    print_rows(
        [("created" if m.new else "exists", m.topic, f"{m.partitions} partitions") for m in made],
        ("green", "", "dim"),
    )
