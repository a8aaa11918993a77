"""`rtml dataset ingest`: the rows of a file that fit a JSON Schema, into a topic."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.console import (
    ExitCode,
    Output,
    OutputOption,
    count,
    err,
    out,
    print_json,
    printable,
)
from worker.cli.dataset.options import (
    FileArgument,
    FormatOption,
    RejectsOption,
    SchemaOption,
    opened,
    source,
)
from worker.cli.files import created, refuse_overwriting
from worker.cli.flush import flushed
from worker.cli.gather import Gathered
from worker.cli.interrupt import like_ctrl_c
from worker.cli.kafka_options import (
    PARTITIONS,
    WAIT_S,
    BrokersOption,
    PartitionsOption,
    Waiting,
    WaitOption,
    settings_for,
)

if TYPE_CHECKING:
    from worker.cli.dataset.sending import Sending
    from worker.dataset.rows import Events
    from worker.settings import Settings


def ingest(
    file: FileArgument,
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="Where to.")],
    schema: SchemaOption,
    key: Annotated[
        str | None,
        typer.Option(metavar="FIELD", help="The field that becomes the key, such as user.id."),
    ] = None,
    timestamp: Annotated[
        str | None,
        typer.Option(
            metavar="FIELD",
            help="The field that becomes the record's time: text (RFC 3339) or epoch ms; "
            "default: now.",
        ),
    ] = None,
    rate: Annotated[
        float, typer.Option(min=0, help="Rows per second; 0: as fast as Kafka takes them.")
    ] = 0.0,
    rejects: RejectsOption = None,
    resume_from: Annotated[
        int,
        typer.Option(
            min=1, metavar="ROW", help="Pass over the rows before; --rejects is then continued."
        ),
    ] = 1,
    create_topics: Annotated[
        bool, typer.Option("--create-topics", help="Make the topic if it does not exist.")
    ] = False,
    partitions: PartitionsOption = PARTITIONS,
    format_: FormatOption = None,
    brokers: BrokersOption = None,
    wait: WaitOption = WAIT_S,
    output: OutputOption = Output.TABLE,
) -> None:
    """Send the rows that fit a JSON Schema to a topic; wait until Kafka has acknowledged each.

    Exit code 1 says that rows were rejected, 3 that Kafka did not answer; where it ends early it
    tells the --resume-from with which nothing is lost.
    """
    from worker.cli.dataset.sending import Around, Sending
    from worker.cli.dataset.tally import Tally
    from worker.dataset.check import load_schema
    from worker.stream.tools.limits import limits_of
    from worker.stream.topics import TopicLimits

    found = Gathered()
    with found.more():
        settings = settings_for(brokers)
    with found.more():
        checker = load_schema(schema)
    found.check()
    with ExitStack() as stack:
        stack.enter_context(like_ctrl_c())
        events = stack.enter_context(opened(file, format_, checker.shape))
        refuse_overwriting((rejects,), (source(file), schema))
        waiting = Waiting()
        _have_topic(settings, topic, partitions if create_topics else None, wait, waiting)
        kept = created(rejects, append=resume_from > 1) if rejects else None
        tally = Tally(stack.enter_context(kept) if kept else None)
        limits = limits_of(settings, topic, waiting) if timestamp else TopicLimits()
        around = Around(key, timestamp, limits)
        sending = Sending(settings, topic, checker, tally, around, wait, waiting)
        begun_s = time.monotonic()
        code = _send(sending, events, resume_from, rate or None)
        seconds = time.monotonic() - begun_s
    if code is ExitCode.DONE and resume_from == 1:
        tally.need_rows(str(file))
    if output is Output.JSON:
        about = {"topic": topic, "rows": tally.rows, "acknowledged": sending.sender.sent}
        about |= {"rejected": tally.rejected, "next_row": sending.next_row, "seconds": seconds}
        print_json({**about, "reasons": tally.reasons()})
    else:
        out.print(
            f"{count(tally.rows, 'row')}: {sending.sender.sent:,} acknowledged by {topic}, "
            f"{tally.rejected:,} rejected, in {seconds:.1f} s"
        )
        tally.print_reasons()
    _end(sending, code)


def _have_topic(
    settings: Settings, topic: str, partitions: int | None, wait_s: float, waiting: Waiting
) -> None:
    """Makes the topic if it may, else refuses to go on without it."""
    from worker.stream.tools import connect
    from worker.stream.tools.make import make_named

    if partitions is not None:
        make_named(settings, [topic], partitions, wait_s, waiting)
        return
    known = connect.topics(settings, wait_s, waiting)
    connect.need(settings, topic, known, "--create-topics makes it")


def _send(sending: Sending, events: Events, first: int, per_second: float | None) -> ExitCode:
    """Everything from a row on; a file that breaks off ends it, after the rows before."""
    from worker.cli.progress import Meter

    with Meter(shown=True) as meter:
        return flushed(
            sending.sender,
            lambda: sending.send_all(
                events.rows,
                first,
                per_second,
                lambda: meter.update(sending.sender.sent, events.fraction()),
            ),
        )


def _end(sending: Sending, code: ExitCode) -> None:
    """The way to go on where not everything was sent, and the exit code."""
    if sending.sender.unreachable:
        err.print(f"not everything was sent: {printable(sending.sender.reason)}", style="bold red")
        code = code or ExitCode.UNREACHABLE
    if code:
        err.print(
            f"every row before {sending.next_row:,} is done; go on with --resume-from "
            f"{sending.next_row} (rows after it may come twice)",
            style="yellow",
        )
        raise typer.Exit(code)
    if sending.tally.rejected:
        raise typer.Exit(ExitCode.NO)
