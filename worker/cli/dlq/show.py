"""`rtml dlq show`: one dead letter, why it is there, and the way out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli.console import Output, OutputOption, out, print_json, print_rows, printable
from worker.cli.consume import json_of, text_of
from worker.cli.dlq.listing import about
from worker.cli.dlq.options import Box, moment, opened
from worker.cli.interrupt import like_ctrl_c
from worker.cli.kafka_options import WAIT_S, BrokersOption, Waiting, WaitOption, settings_for
from worker.errors import ConfigError, Problem, Stage

if TYPE_CHECKING:
    from worker.settings import Settings
    from worker.stream.tools.letters import Letter

_MOST_SHOWN = 4_000
_PRODUCER = "whoever sends such events has to change; as it is, it fails again"
_WAYS_OUT = {
    Stage.DECODE: f"the value does not fit the graph's schema: {_PRODUCER}, or the schema has to "
    "allow it",
    Stage.VALIDATE: f"it broke a rule of the graph: {_PRODUCER}, or the rule has to allow it",
    Stage.NODE: "the node could not take it: change its params, or fill or filter before it",
    Stage.SCORE: "the model could not take it or gave no number: fill or clip before the model",
    Stage.ENCODE: "the result cannot be written as JSON: change what the sink writes",
    Stage.PRODUCE: "the sink refused the record, for its size or its time: change the topic's "
    "limits, or write fewer fields",
}


def show(
    letter: Annotated[
        str, typer.Argument(metavar="LETTER", help="TOPIC-PARTITION-OFFSET, as in the list.")
    ],
    brokers: BrokersOption = None,
    wait: WaitOption = WAIT_S,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show a dead letter: its headers and value, why it is there, and the way out."""
    topic, partition, offset = _place(letter)
    settings = settings_for(brokers)
    with like_ctrl_c():
        box, found = _found(settings, topic, partition, offset, wait)
    record = found.record
    if output is Output.JSON:
        headers = [{"name": name, "value": text_of(value)} for name, value in record.headers]
        around: dict[str, Any] = {"timestamp": record.timestamp_ms, "key": text_of(record.key)}
        value = json.loads(json_of(record.value))
        ways_out = {"way_out": _ways_out(found)}
        print_json({**about(box, found), **around, "headers": headers, "value": value, **ways_out})
        return
    _print(box, found)


def _place(text: str) -> tuple[str, int, int]:
    """Topic, partition and offset.

    Raises:
        ConfigError: it names none.
    """
    parts = text.rsplit("/" if text.count("/") == 2 else "-", 2)
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts[1:]):
        message = f"'{text}' names no letter; TOPIC-PARTITION-OFFSET does, such as tx-dlq-0-17"
        raise ConfigError(Problem("", message))
    return parts[0], int(parts[1]), int(parts[2])


def _found(
    settings: Settings, topic: str, partition: int, offset: int, wait_s: float
) -> tuple[Box, Letter]:
    """The letter.

    Raises:
        ConfigError: it is not there.
        TransportError: Kafka does not answer.
    """
    from dataclasses import replace

    from worker.stream.tools.letters import Letter

    box = opened(settings, topic, wait_s, Waiting())
    span, place = box.span, (topic, partition)
    if place not in span.ends:
        message = f"topic '{topic}' has no partition {partition}, but 0 to {len(span.ends) - 1}"
        raise ConfigError(Problem("", message))
    least, end = span.starts[place], span.ends[place]
    if least <= offset < end:
        one = replace(span, starts={place: offset}, ends={place: offset + 1})
        for record in one.records():
            return box, Letter(record)
    there = f"it holds {least} to {end - 1}" if least < end else "it holds none"
    raise ConfigError(Problem("", f"{topic}-{partition} has no record {offset}; {there}"))


def _ways_out(letter: Letter) -> list[str]:
    stage = letter.text("stage")
    found = [_WAYS_OUT[Stage(stage)]] if stage in set(Stage) else []
    if letter.source is None:
        return [*found, "no worker put it here: its headers name no source to replay it to"]
    topic, partition, offset = letter.source
    only = f"--source-partition {partition} --source-offset {offset}"
    command = f"rtml dlq replay {letter.record.topic} {only}"
    return [
        *found,
        f"what a changed graph makes of it: {command} --graph GRAPH",
        f"back to {topic}, once the cause is gone: {command}",
    ]


def _print(box: Box, letter: Letter) -> None:
    from worker.stream.tools import replays

    record, mark = letter.record, replays.of(box.marks, letter)
    error, message = letter.text("error") or "no reason is told", letter.text("message")
    out.print(printable(letter.id), style="bold")
    out.print(printable(f"  {error}: {message}" if message else f"  {error}"), style="red")
    topic, partition, offset = letter.source or ("", 0, 0)
    facts = [
        ("from", f"{topic}-{partition}-{offset}" if topic else "unknown"),
        ("stage", " ".join([letter.text("stage"), letter.text("node")]).strip()),
        ("service", letter.text("service")),
        ("dead since", f"{moment(letter.at_ms)} UTC, attempt {letter.text('attempt') or 1}"),
        ("event time", f"{moment(letter.timestamp_ms)} UTC" if letter.timestamp_ms else ""),
        ("key", _line(text_of(record.key))),
        ("replay of", letter.text("replay-of")),
        ("replayed", f"{moment(mark.at_ms)} UTC to {mark.to}" if mark else "no"),
    ]
    print_rows([fact for fact in facts if fact[1]], ("dim", ""), indent=2)
    out.print("\nheaders", style="bold")
    headers = [(name, _line(text_of(value))) for name, value in record.headers]
    print_rows(headers, ("cyan", ""), indent=2)
    size = len(record.value or b"")
    out.print(f"\nvalue, {size:,} bytes", style="bold")
    value = json.loads(json_of(record.value))
    shown = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    for line in shown[:_MOST_SHOWN].split("\n"):
        out.print("  " + printable(line))
    if len(shown) > _MOST_SHOWN:
        out.print("  ... `-o json` shows all of it", style="dim")
    out.print("\nway out", style="bold")
    for way in _ways_out(letter):
        out.print(printable(f"  {way}"))


def _line(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
