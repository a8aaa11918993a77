"""`rtml dlq replay`: dead letters back to their source topics, each once."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.console import ExitCode, Output, OutputOption, count, err, out, print_json
from worker.cli.dlq.options import (
    ErrorOption,
    Given,
    NodeOption,
    ServiceOption,
    SinceOption,
    SourceOffsetOption,
    SourcePartitionOption,
    StageOption,
    TopicArgument,
    UntilOption,
    opened,
)
from worker.cli.dlq.survey import Survey, survey
from worker.cli.interrupt import like_ctrl_c
from worker.cli.kafka_options import WAIT_S, BrokersOption, Waiting, WaitOption, settings_for
from worker.errors import ConfigError, Problem

if TYPE_CHECKING:
    from worker.cli.dlq.options import Box
    from worker.settings import Settings
    from worker.stream.tools.letters import Letter, Wanted
    from worker.stream.tools.replay import Replayer, Routes

_MAX_SLEEP_S = 0.1


def replay(
    topic: TopicArgument,
    graph: Annotated[
        Path | None,
        typer.Option(
            metavar="GRAPH",
            help="Send nothing: score the letters with this graph, here, and print what each "
            "would become.",
        ),
    ] = None,
    service: ServiceOption = None,
    error: ErrorOption = None,
    node: NodeOption = None,
    stage: StageOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    source_partition: SourcePartitionOption = None,
    source_offset: SourceOffsetOption = None,
    n: Annotated[
        int | None, typer.Option("-n", "--letters", min=1, help="Replay at most so many.")
    ] = None,
    rate: Annotated[
        float, typer.Option(min=0, help="Letters per second; 0: as fast as Kafka takes them.")
    ] = 0.0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be replayed; send nothing.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask; needed where nobody can be asked.")
    ] = False,
    brokers: BrokersOption = None,
    wait: WaitOption = WAIT_S,
    output: OutputOption = Output.TABLE,
) -> None:
    """Send dead letters back to the topics they came from: key, value, headers, time, partition.

    Each letter is sent once, however often this is run, also after a crash: the record and a mark
    in TOPIC-replayed are one transaction. A record carries the header rtml-dlq-replay-of; where it
    fails again, it is a new letter with that header, and can be replayed in its turn.

    Exit code 1 says that letters cannot go back, or that the answer was no.
    """
    given = Given(service, error, node, stage, since, until, source_partition, source_offset)
    settings, wanted = settings_for(brokers), given.wanted()
    if graph is not None:
        from worker.cli.dlq.local import score_here

        score_here(graph, settings, topic, wanted, n, wait, output)
        return
    with like_ctrl_c():
        box = opened(settings, topic, wait, Waiting())
        found = survey(settings, box, wanted, n)
        if output is not Output.JSON or not dry_run:
            found.print(err if output is Output.JSON else out)
        replayed, seconds = 0, 0.0
        if found.letters and not dry_run:
            _confirm(found, topic, yes=yes)
            replayed, seconds = _replay(settings, box, found.routes, wanted, n, rate, wait)
    if output is Output.JSON:
        print_json({"topic": topic, **found.data(), "replayed": replayed, "dry_run": dry_run})
    elif not dry_run and found.letters:
        out.print(f"replayed {replayed:,} in {seconds:.1f} s")
    if found.refused:
        raise typer.Exit(ExitCode.NO)


def _confirm(found: Survey, topic: str, *, yes: bool) -> None:
    """Asks on a terminal.

    Raises:
        ConfigError: there is none, and nobody said --yes.
        Exit: the answer is no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        message = "nobody can be asked here: add --yes, or --dry-run to send nothing"
        raise ConfigError(Problem("", message))
    letters = count(found.letters, "letter")
    if not typer.confirm(f"Replay {letters} of {topic}?", err=True):
        err.print("nothing was sent")
        raise typer.Exit(ExitCode.NO)


def _replay(
    settings: Settings,
    box: Box,
    routes: Routes,
    wanted: Wanted,
    most: int | None,
    per_second: float,
    wait_s: float,
) -> tuple[int, float]:
    """Sends the letters; how many, and in how many seconds."""
    from worker.cli.progress import Meter
    from worker.stream.tools import replays
    from worker.stream.tools.replay import Replayer

    topic, waiting = box.topic, Waiting()
    replays.make_topic(settings, topic, wait_s, waiting)
    replayer = Replayer(settings, topic, routes.limits, wait_s, waiting)
    # Only now nobody else can add to the marks.
    marks = replays.read(settings, topic, wait_s, waiting)
    with Meter(shown=True, noun="letters") as meter:

        def progress(_: int, part: float | None) -> None:
            meter.update(replayer.replayed, part)

        letters = (
            letter
            for letter in box.letters(wanted, progress)
            if not replays.of(marks, letter)
            and not routes.why_not(letter, int(time.time() * 1_000))
        )
        try:
            _send(replayer, routes, islice(letters, most), per_second)
        except BaseException:
            replayer.abort()
            err.print(f"{replayer.replayed:,} were replayed; run it again for the rest")
            raise
        seconds = meter.seconds
    return replayer.replayed, seconds


def _send(replayer: Replayer, routes: Routes, letters: Iterator[Letter], per_second: float) -> None:
    """At the rate, in transactions that are never kept open for a pause."""
    from worker.stream.tools.events import Pace

    pace = Pace(per_second or None)
    for i, letter in enumerate(letters):
        while (due_s := pace.due_in_s(i)) > 0:
            if due_s > _MAX_SLEEP_S or replayer.is_due:
                replayer.commit()
            time.sleep(min(due_s, _MAX_SLEEP_S))
        replayer.send(letter, routes.partition(letter))
        if replayer.is_due:
            replayer.commit()
    replayer.commit()
