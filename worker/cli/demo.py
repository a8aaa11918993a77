"""`rtml demo`: an example graph's events through a real worker, every one accounted for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.console import KAFKA, ExitCode, Output, OutputOption, err, printable
from worker.cli.interrupt import like_ctrl_c
from worker.cli.kafka_options import (
    PARTITIONS,
    WAIT_S,
    Waiting,
    settings_for,
    worker_environment,
)
from worker.cli.loading import GRAPH_FILE, Loaded, load_graph
from worker.errors import ConfigError, Problem, nearest

if TYPE_CHECKING:
    from worker.graph.plan import Plan
    from worker.settings import Settings
    from worker.stream.tools.events import Event
    from worker.stream.tools.trial import Trial

READY_S = 60.0
WATCH_S = 0.5
EMBEDDED_FETCH_WAIT_MS = 10
"""A fetch that finds nothing answers only after the whole wait there."""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "demo",
        rich_help_panel=KAFKA,
        epilog="Example: rtml demo --graph car-insurance --events 5000",
    )(demo)


def demo(
    graph: Annotated[
        str, typer.Option(metavar="NAME|PATH", help="An example's name, or a graph file or folder.")
    ] = "digits",
    events: Annotated[
        int | None, typer.Option(min=1, help="Send so many; default: each sample once.")
    ] = None,
    rate: Annotated[
        float, typer.Option(min=0, help="Events per second; 0: as fast as they are scored.")
    ] = 0.0,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave broker and worker running until Ctrl-C.")
    ] = False,
    brokers: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT,...", help="Use this Kafka, not the embedded broker."),
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Stream a graph's sample events through a worker; brings its own broker.

    Exit code 0 says that every event came out scored, dropped or as a dead letter.
    """
    from worker.stream.tools.events import samples

    loaded = load_graph(find_graph(graph))
    lines = samples(loaded.path)
    _say("graph", str(loaded.path))
    with like_ctrl_c(), _kafka(loaded.plan, brokers) as settings:
        complete = _try(
            loaded, settings, lines, events or len(lines), rate or None, output, keep=keep,
            embedded=brokers is None,
        )  # fmt: skip
    raise typer.Exit(ExitCode.DONE if complete else ExitCode.NO)


def find_graph(name: str) -> Path:
    """A graph that is there: at that path, or an example of that name.

    Raises:
        ConfigError: neither.
    """
    path = Path(name)
    if path.exists():
        return path
    # Examples lie in the working directory, or beside the package where that is a clone.
    examples = {
        path.parent.name: path.parent
        for folder in (Path(__file__).parents[2] / "graphs", Path("graphs"))
        for path in folder.glob(f"*/{GRAPH_FILE}")
    }
    if name in examples:
        return examples[name]
    message = f"no graph '{name}': neither a file or folder, nor an example"
    message += f"{nearest(name, examples)}; name a graph file"
    if not examples:
        message += ", or run this in a clone of the repository, which holds the examples"
    raise ConfigError(Problem("--graph", message))


@contextmanager
def _kafka(plan: Plan, brokers: str | None) -> Iterator[Settings]:
    """A Kafka with the plan's topics: the embedded one, or the user's."""
    from worker.settings import Settings
    from worker.stream.embedded import EmbeddedBroker
    from worker.stream.tools.make import make_topics

    if brokers is not None:
        settings = settings_for(brokers)
        made = make_topics(settings, plan, PARTITIONS, WAIT_S, Waiting())
        new = [one.topic for one in made if one.new]
        _say("broker", brokers + (f"; created {', '.join(new)}" if new else ""))
        yield settings
        return
    topics = [plan.spec.source.topic, *plan.topics, plan.spec.dead_letter_topic]
    with EmbeddedBroker(dict.fromkeys(topics, PARTITIONS)) as broker:
        _say("broker", f"embedded, in memory, {broker.bootstrap}")
        yield Settings(brokers=broker.bootstrap, fetch_max_wait_ms=EMBEDDED_FETCH_WAIT_MS)


def _try(
    loaded: Loaded,
    settings: Settings,
    lines: list[Event],
    n: int,
    per_second: float | None,
    output: Output,
    *,
    keep: bool,
    embedded: bool,
) -> bool:
    """One run; whether every event is accounted for."""
    from worker.cli.demo_report import report
    from worker.cli.progress import Meter
    from worker.stream.tools.child import ChildEnded
    from worker.stream.tools.events import cycle
    from worker.stream.tools.trial import Trial

    begun_s = time.monotonic()
    environment = worker_environment(settings, embedded=embedded)
    with Trial(loaded.path, loaded.plan, settings, environment, forget=not embedded) as trial:
        worker, ledger = trial.worker, trial.ledger
        worker.keep_log = True
        try:
            with err.status("starting a worker ..."):
                worker.wait_ready(READY_S)
            ready_s = time.monotonic() - begun_s
            _say("worker", f"process {worker.pid}, ready after {ready_s:.1f} s, {worker.url}")
            with Meter(shown=True) as meter:
                trial.stream(cycle(lines, n), per_second, lambda k: meter.update(k, k / n))
            if not keep:
                worker.stop()
            trial.settle()
            worker.keep_log = not ledger.complete
        except ChildEnded as error:
            err.print(f"rtml: {error}", style="red")
        except KeyboardInterrupt:
            worker.keep_log = False
            raise
        if ledger.sent:
            report(loaded.plan, ledger, trial.seconds, output, embedded=embedded)
        if trial.refused:
            err.print(f"not sent: {trial.refused}", style="red")
        if worker.keep_log:
            _say("log", f"of the worker: {worker.log}")
        elif keep:
            _stay(loaded, settings, trial)
    return ledger.sent == n and not worker.keep_log


def _stay(loaded: Loaded, settings: Settings, trial: Trial) -> None:
    """Until Ctrl-C, or until the worker ends by itself; says what to try meanwhile."""
    from worker.stream.tools.child import ChildEnded

    spec, at = loaded.plan.spec, f"--brokers {settings.brokers}"
    err.print("\nBroker and worker go on until Ctrl-C. Try in another terminal:", style="bold")
    for line in (
        f"rtml consume {spec.sink.topic} --from latest --headers {at}",
        f"rtml produce {spec.source.topic} --simulate {loaded.path.parent} --rate 10 {at}",
        f"curl {trial.worker.url}/metrics",
    ):
        err.print(f"  {line}", style="cyan")
    try:
        while True:
            trial.worker.check()
            time.sleep(WATCH_S)
    except KeyboardInterrupt:
        err.print("stopping", style="dim")
    except ChildEnded as error:
        err.print(f"rtml: {error}", style="red")
        trial.worker.keep_log = True


def _say(label: str, text: str) -> None:
    err.print(f"{label:<8}{printable(text)}", style="dim")
