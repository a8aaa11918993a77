"""``rtml run``: the worker."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.console import KAFKA, ExitCode
from worker.cli.gather import Gathered
from worker.cli.interrupt import draining, nothing_to_drain
from worker.cli.kafka_options import PARTITIONS, BrokersOption, PartitionsOption
from worker.cli.loading import load_graph
from worker.cli.store_options import store_of
from worker.errors import ConfigError, Problem

if TYPE_CHECKING:
    from worker.app import Worker
    from worker.graph.plan import Plan

HELP = """
Serve graphs: Kafka in, scored events out, until SIGTERM; then drain and exit 0.

Ctrl-C drains as well, exit 130; a second one ends at once.

Without a graph it serves what `rtml service publish` puts to its location.

Replicas share the load through the consumer group: start the command again, or use --replicas.
"""
EXAMPLE = "Example: rtml run graphs/digits --brokers localhost:9092 --create-topics"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("run", help=HELP, epilog=EXAMPLE, rich_help_panel=KAFKA)(run)


def run(
    graphs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="GRAPH",
            help="Graph files, or folders with a graph.yaml; none: serve the location.",
        ),
    ] = None,
    location: Annotated[
        str | None,
        typer.Option(help="serve what is published there; default: RTML_LOCATION, or edge"),
    ] = None,
    brokers: BrokersOption = None,
    group: Annotated[str | None, typer.Option(help="consumer group; default: rtml-NAME")] = None,
    http_port: Annotated[
        int | None,
        typer.Option(
            help="of the HTTP server; 0: any; default: 6066 or the next; replicas count up"
        ),
    ] = None,
    replicas: Annotated[int, typer.Option(min=1, max=64, help="start so many workers")] = 1,
    wait: Annotated[
        float | None, typer.Option(min=0, help="give up reaching Kafka after so many seconds")
    ] = None,
    create_topics: Annotated[
        bool, typer.Option("--create-topics", help="make topics that do not exist")
    ] = False,
    partitions: PartitionsOption = PARTITIONS,
    status: Annotated[bool, typer.Option(help="a line of counts below the logs")] = True,
    while_open: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """See `HELP`."""
    from worker import logs
    from worker.cli.replicas import supervise
    from worker.settings import load
    from worker.stream.security import security
    from worker.stream.tools.command import drain_when_closed

    found = Gathered()
    if graphs and location is not None:
        message = "graphs and a location exclude each other; publish the graphs to the location"
        found.problems.append(Problem("--location", message))
    flags = {"brokers": brokers, "group": group, "http_port": http_port, "location": location}
    with found.more():
        settings, warnings = load(os.environ, flags)
        logs.configure(settings.log_format, settings.log_level)
        logs.warn_all("unknown_setting", warnings)
        security(settings)  # certificates that cannot be used are told before anything is started
    if replicas > 1 and not found.problems:
        raise typer.Exit(supervise(sys.argv[1:], replicas, settings))
    if while_open is not None and not found.problems:
        drain_when_closed(while_open)
    with nothing_to_drain():
        with found.more():
            plans, seconds = _load(graphs or [])
        found.check()
        store = None if graphs else partial(store_of, settings)

        from worker.app import Options, Worker
        from worker.loop import new_event_loop

        options = Options(wait, partitions if create_topics else None, store)

        async def serve() -> bool:
            worker = Worker(plans, settings, options)
            for name, plan in plans.items():
                worker.fleet.meters[name].loaded(plan.models, seconds[name])
            return await _serve(worker, status=status)

        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            interrupted = runner.run(serve())
    if interrupted:
        raise typer.Exit(ExitCode.INTERRUPTED)


async def _serve(worker: Worker, *, status: bool) -> bool:
    """Serves until a signal or a failure; whether the signal was SIGINT."""
    import structlog

    from worker.cli.status import status_line

    log = structlog.get_logger(__name__)

    def stop() -> None:
        log.info("stopping", signal="SIGINT", hint="once more ends at once")
        worker.stop()

    later = partial(asyncio.get_running_loop().call_soon_threadsafe, stop)
    with draining(later) as came, status_line(worker, wanted=status) as watch:
        await worker.run(watch)
    return bool(came)


def _load(graphs: list[Path]) -> tuple[dict[str, Plan], dict[str, float]]:
    """Plans by service name, and the seconds that loading each took; all problems at once."""
    plans: dict[str, Plan] = {}
    seconds: dict[str, float] = {}
    problems: list[Problem] = []
    for graph in graphs:
        began_s = time.perf_counter()
        try:
            loaded = load_graph(graph, inspected=True)
        except ConfigError as error:
            problems += error.problems
            continue
        name = loaded.plan.spec.name
        if name in plans:
            message = f"another graph is called '{name}' as well; names are unique in a worker"
            problems.append(Problem("name", message, str(loaded.path)))
        plans[name] = loaded.plan
        seconds[name] = time.perf_counter() - began_s
    if problems:
        raise ConfigError(problems)
    return plans, seconds
