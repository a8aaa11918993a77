"""`rtml bench`: what one worker does with a graph on a Kafka, beside what the client alone does."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.console import KAFKA, ExitCode, Output, OutputOption, err, printable
from worker.cli.gather import Gathered
from worker.cli.interrupt import like_ctrl_c, undisturbed
from worker.cli.kafka_options import (
    PARTITIONS,
    WAIT_S,
    BrokersOption,
    PartitionsOption,
    Waiting,
    WaitOption,
    settings_for,
    worker_environment,
)
from worker.cli.loading import GraphArgument, Loaded, load_graph
from worker.cli.sampled import EventsArgument, sampled
from worker.errors import ConfigError, Problem

if TYPE_CHECKING:
    from worker.graph.plan import Plan
    from worker.settings import Settings
    from worker.stream.tools.bench.place import Place
    from worker.stream.tools.bench.run import Findings, Load

WARM_UP_S, FLOOR_WARM_UP_S = 3, 2
FLOOR_SECONDS = 5
"""Of the floor's latency, at most."""
_SCORED_AT_ONCE = 100


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "bench",
        rich_help_panel=KAFKA,
        epilog="Example: rtml bench graphs/digits --brokers kafka-1:9092 --rate 2000",
    )(bench)


def bench(
    graph: GraphArgument,
    file: EventsArgument = None,
    events: Annotated[
        int,
        typer.Option(min=10_000, max=100_000_000, help="That wait, for the throughput."),
    ] = 100_000,
    rate: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Events per second, for the latency.")
    ] = 1_000,
    seconds: Annotated[
        int, typer.Option(min=1, max=3_600, help="To measure the latency for.")
    ] = 10,
    partitions: PartitionsOption = PARTITIONS,
    brokers: BrokersOption = None,
    wait: WaitOption = WAIT_S,
    output: OutputOption = Output.TABLE,
) -> None:
    """Measure one worker with this graph on your Kafka, and what the Kafka client alone does there.

    Events a second, processor time and memory on events that wait; latency at a fixed rate. Topics
    and groups are its own, rtml-bench-..., and deleted in the end; the graph's are not touched.
    Exit code 1 says that events were missing, or came out twice.
    """
    found = Gathered()
    with found.more():
        settings = settings_for(brokers)
    with found.more():
        loaded = load_graph(graph)
        values = sampled(loaded, file)
        _need_outcomes(loaded.plan, values)
    found.check()
    from worker.cli.bench_report import report
    from worker.stream.tools import connect
    from worker.stream.tools.bench.latency import Pace
    from worker.stream.tools.bench.place import Place
    from worker.stream.tools.bench.run import Load

    busy, _, _ = os.getloadavg()
    short = Pace(rate, FLOOR_WARM_UP_S, min(seconds, FLOOR_SECONDS))
    load = Load(values, events, Pace(rate, WARM_UP_S, seconds), short)
    with like_ctrl_c():
        connect.topics(settings, wait, Waiting())  # before there is anything to be deleted
        place = Place(settings, len(loaded.plan.topics), partitions)
        try:
            place.make(wait, Waiting())
            findings = _measured(loaded, settings, place, load)
        finally:
            left = _removed(place)
    if findings is not None:
        report(loaded.plan.spec.name, settings.brokers, partitions, load, findings, busy, output)
    if left or findings is None:
        raise typer.Exit(ExitCode.NO if findings is None else ExitCode.UNREACHABLE)


def _need_outcomes(plan: Plan, values: list[bytes]) -> None:
    """Refuses events that leave nothing behind whose time Kafka could tell.

    Raises:
        ConfigError: the graph drops each of them.
    """
    from worker.codec.outcome import Drop
    from worker.score import score

    for start in range(0, len(values), _SCORED_AT_ONCE):
        outcomes = score(plan, values[start : start + _SCORED_AT_ONCE])
        if not all(isinstance(one, Drop) for one in outcomes):
            return
    raise ConfigError(Problem("", "the graph drops each of these events: nothing can be timed"))


def _measured(loaded: Loaded, settings: Settings, place: Place, load: Load) -> Findings | None:
    """What was found; None where the counts do not add up, or a process ended, which is told."""
    from worker.cli.progress import Line
    from worker.stream.tools.bench.account import Incomplete
    from worker.stream.tools.bench.contender import Floor, Kind
    from worker.stream.tools.bench.run import measure
    from worker.stream.tools.child import ChildEnded
    from worker.stream.tools.process import WorkerProcess

    environment = worker_environment(settings)
    floor = Kind(
        "floor",
        (place.passed,),
        lambda group: Floor(settings, group, place, environment),
    )
    with tempfile.TemporaryDirectory(prefix="rtml-bench-") as folder, Line() as line:
        graph = _moved(loaded, place, Path(folder))
        worker = Kind(
            "worker",
            (*place.scored, place.dead),
            lambda group: WorkerProcess(
                graph, ["--brokers", settings.brokers, "--group", group], environment
            ),
        )
        try:
            return measure(settings, place, worker, floor, load, line)
        except (Incomplete, ChildEnded) as error:
            failed = error
    err.print(f"rtml: {failed}", style="red")
    return None


def _moved(loaded: Loaded, place: Place, folder: Path) -> Path:
    """The graph on the topics of the place, and on no other.

    Raises:
        ConfigError: a node of it names topics in a way that is not known.
    """
    from worker.stream.tools.bench.graph import moved

    graph = moved(loaded.plan, loaded.path.parent, place, folder)
    foreign = set(load_graph(graph).plan.topics) - set(place.scored)
    if foreign:
        message = f"it would write to {', '.join(sorted(foreign))}, which only Route may name here"
        raise ConfigError(Problem("nodes", message, str(loaded.path)))
    return graph


def _removed(place: Place) -> bool:
    """Deletes what the benchmark made; whether something is left, which is told."""
    with undisturbed(), err.status("deleting the topics and groups of the benchmark ..."):
        left = place.remove()
    for name, reason in left.items():
        err.print(f"left on Kafka: {name}: {printable(reason)}", style="red")
    return bool(left)
