"""`rtml consume`: what is in a topic, to stdout."""

from __future__ import annotations

import base64
import json
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli.console import KAFKA, ExitCode, count, err, write_bytes
from worker.cli.interrupt import like_ctrl_c
from worker.cli.kafka_options import WAIT_S, BrokersOption, Waiting, WaitOption, settings_for

if TYPE_CHECKING:
    from worker.stream.tools.read import Reader, Stored

BATCH = 500
POLL_S = 0.2


class Start(StrEnum):
    """Where reading begins."""

    EARLIEST = "earliest"
    LATEST = "latest"


class Shape(StrEnum):
    """How records are printed."""

    VALUE = "value"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "consume",
        rich_help_panel=KAFKA,
        epilog="Example: rtml consume web-events-scored -n 3 --headers",
    )(consume)


def consume(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="What to read.")],
    n: Annotated[
        int | None, typer.Option("-n", "--events", min=1, help="Stop after so many records.")
    ] = None,
    start: Annotated[
        Start, typer.Option("--from", help="Begin with what is there, or with what comes.")
    ] = Start.EARLIEST,
    timeout: Annotated[
        float | None,
        typer.Option(min=0, metavar="SECONDS", help="Stop when nothing came for so long."),
    ] = None,
    headers: Annotated[
        bool, typer.Option("--headers", help="Print name=value of each header, and a tab, first.")
    ] = False,
    output: Annotated[
        Shape,
        typer.Option(
            "--output", "-o", help="The values; or an object per record, a line each, with topic, "
            "partition, offset, timestamp (epoch ms), key, headers and value.",
        ),
    ] = Shape.VALUE,
    brokers: BrokersOption = None,
    wait: WaitOption = WAIT_S,
) -> None:  # fmt: skip
    """Print the records of a topic, one per line, until Ctrl-C; joins no group, commits nothing.

    Exit code 1 says that fewer than -n records came before the timeout.
    """
    settings = settings_for(brokers)
    from worker.stream.tools import connect
    from worker.stream.tools.read import Reader

    waiting = Waiting()
    known = connect.topics(settings, wait, waiting)
    connect.need(settings, topic, known)
    starts = connect.offsets(settings, {topic: known[topic]}, start.value)
    with like_ctrl_c(), Reader(settings, starts, waiting) as reader:
        place = "beginning" if start is Start.EARLIEST else "end"
        err.print(f"reading {topic} from its {place}; Ctrl-C stops", style="dim")
        found = _print_all(reader, n, timeout, headers=headers, shape=output)
    if n is not None and found < n:
        err.print(f"{found:,} of {count(n, 'record')}; nothing more came for {timeout:g} s")
        raise typer.Exit(ExitCode.NO)


def _print_all(
    reader: Reader, n: int | None, timeout_s: float | None, *, headers: bool, shape: Shape
) -> int:
    """Prints until ``n`` records are printed, or none came for ``timeout_s``; how many."""
    found, since_s = 0, time.monotonic()
    while n is None or found < n:
        records = reader.take(BATCH if n is None else min(BATCH, n - found), POLL_S)
        if records:
            found, since_s = found + len(records), time.monotonic()
            write = _as_json if shape is Shape.JSON else _with_headers if headers else _value
            write_bytes(b"".join(write(record) + b"\n" for record in records))
        elif timeout_s is not None and time.monotonic() - since_s >= timeout_s:
            break
    return found


def _value(record: Stored) -> bytes:
    return b"null" if record.value is None else record.value


def _with_headers(record: Stored) -> bytes:
    shown = (name.encode() + b"=" + (value or b"") for name, value in record.headers)
    return b" ".join(shown) + b"\t" + _value(record)


def _as_json(record: Stored) -> bytes:
    around = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp_ms,
        "key": text_of(record.key),
        "headers": [{"name": name, "value": text_of(value)} for name, value in record.headers],
    }
    opened = json.dumps(around, ensure_ascii=False).removesuffix("}").encode()
    return opened + b', "value": ' + json_of(record.value) + b"}"


def text_of(value: bytes | None) -> Any:
    """UTF-8 as text, other bytes as an object that says so."""
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def json_of(value: bytes | None) -> bytes:
    """JSON as it is, on one line; what is no JSON as `text_of`."""
    import msgspec

    if value is None:
        return b"null"
    try:
        msgspec.json.decode(value, type=msgspec.Raw)
        value.decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return json.dumps(text_of(value), ensure_ascii=False).encode()
    # Inside of JSON, outside of strings, a line's end is a blank; within strings it cannot stand.
    return value.replace(b"\r", b" ").replace(b"\n", b" ")
