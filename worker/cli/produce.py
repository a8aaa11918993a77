"""`rtml produce`: events from a file, stdin or a graph's samples into a topic."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from worker.cli.console import KAFKA, ExitCode, Output, OutputOption, count, err, out, print_json
from worker.cli.flush import flushed
from worker.cli.gather import Gathered
from worker.cli.interrupt import like_ctrl_c
from worker.cli.kafka_options import WAIT_S, BrokersOption, Waiting, WaitOption, settings_for
from worker.cli.loading import graph_path
from worker.errors import ConfigError, Problem
from worker.files import open_stream

if TYPE_CHECKING:
    from worker.stream.tools.events import Event
    from worker.stream.tools.send import Sender

SIMULATED_PER_SECOND = 100.0
_MAX_SLEEP_S = 0.2


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "produce",
        rich_help_panel=KAFKA,
        epilog="Example: rtml produce web-events --simulate graphs/car-insurance --rate 50",
    )(produce)


def produce(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="Where to; it must exist.")],
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Events, one JSON object per line; default: stdin."),
    ] = None,
    simulate: Annotated[
        Path | None,
        typer.Option(
            metavar="GRAPH",
            help="Send the graph's events.jsonl over and over, or events made up to its schema.",
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Events per second; 0: as fast as Kafka takes them; default: 0, with --simulate "
            "100.",
        ),
    ] = None,
    events: Annotated[
        int | None,
        typer.Option(min=1, help="Stop after so many; default: all, with --simulate never."),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(metavar="FIELD", help="The field that becomes the key, such as user.id."),
    ] = None,
    brokers: BrokersOption = None,
    wait: WaitOption = WAIT_S,
    output: OutputOption = Output.TABLE,
) -> None:
    """Send events to a topic, each line as it is; wait until Kafka has acknowledged each.

    A file with an empty line, or one without the key, is refused before anything is sent.
    Exit code 1 says that Kafka refused events, 3 that it did not answer.
    """
    found = Gathered()
    if file is not None and simulate is not None:
        found.problems.append(Problem("", "FILE and --simulate exclude each other"))
    with found.more():
        settings = settings_for(brokers)
    found.check()
    if rate is None:
        rate = SIMULATED_PER_SECOND if simulate is not None else 0.0
    from worker.stream.tools import connect
    from worker.stream.tools.send import Sender

    with ExitStack() as stack:
        stack.enter_context(like_ctrl_c())
        source = _source(file, simulate, key, events, stack)
        waiting = Waiting()
        connect.need(settings, topic, connect.topics(settings, wait, waiting))
        sender, begun_s = Sender(settings, topic, wait, waiting), time.monotonic()
        code = _send(sender, source, rate or None, events)
    seconds = time.monotonic() - begun_s
    if output is Output.JSON:
        print_json(
            {"topic": topic, "sent": sender.sent, "failed": sender.failed, "seconds": seconds}
        )
    else:
        out.print(f"sent {sender.sent:,} to {topic} in {seconds:.1f} s")
    if sender.failed:
        err.print(f"{count(sender.failed, 'event')} not sent: {sender.reason}", style="bold red")
        code = code or (ExitCode.UNREACHABLE if sender.unreachable else ExitCode.NO)
    if code:
        raise typer.Exit(code)


def _source(
    file: Path | None, simulate: Path | None, key: str | None, n: int | None, stack: ExitStack
) -> Iterator[Event]:
    from itertools import islice

    from worker.stream.tools.events import cycle, read, samples

    if simulate is not None:
        return cycle(samples(graph_path(simulate), key), n)
    stream: BinaryIO = sys.stdin.buffer
    if file is not None:
        try:
            stream = stack.enter_context(open_stream(file))
        except OSError as error:
            message = f"cannot be read: {error.strerror or error}"
            raise ConfigError(Problem("", message, str(file))) from error
        if stream.seekable():
            for _ in islice(read(stream, str(file), key), n):
                pass  # reading refuses lines that cannot be sent
            stream.seek(0)
    elif sys.stdin.isatty():
        err.print("reading events from the terminal, one JSON object per line; end with Ctrl-D")
    return islice(read(stream, "stdin" if file is None else str(file), key), n)


def _send(
    sender: Sender, source: Iterator[Event], per_second: float | None, n: int | None
) -> ExitCode:
    """Everything in the source, at the rate; a line that is refused ends it, after the others."""
    from worker.cli.progress import Meter
    from worker.stream.tools.events import Pace

    def send() -> None:
        for i, (value, key) in enumerate(source):
            while (due_s := pace.due_in_s(i)) > 0:
                time.sleep(min(due_s, _MAX_SLEEP_S))
                sender.poll()
            sender.send(value, key)
            if sender.unreachable:
                break
            meter.update(sender.sent, (i + 1) / n if n else None)

    pace = Pace(per_second)
    with Meter(shown=True) as meter:
        return flushed(sender, send)
