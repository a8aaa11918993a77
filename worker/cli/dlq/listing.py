"""`rtml dlq list`: what is in a dead-letter topic, counted by error, and the newest."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import count as counted
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli.console import Output, OutputOption, count, err, out, print_json, print_rows
from worker.cli.dlq.options import (
    Box,
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
    iso,
    moment,
    opened,
)
from worker.cli.interrupt import like_ctrl_c
from worker.cli.kafka_options import WAIT_S, BrokersOption, Waiting, WaitOption, settings_for

if TYPE_CHECKING:
    from worker.stream.tools.letters import Letter, Wanted

_NEWEST = 10
_MESSAGE_LENGTH = 80
_GROUPED = ("error", "stage", "node", "service")


@dataclass(slots=True)
class Group:
    """Letters that failed alike."""

    letters: int = 0
    replayed: int = 0
    first_ms: int = 0
    last_ms: int = 0

    def add(self, at_ms: int, *, replayed: bool) -> None:
        """Counts one more."""
        self.letters += 1
        self.replayed += replayed
        self.first_ms = min(self.first_ms or at_ms, at_ms)
        self.last_ms = max(self.last_ms, at_ms)


Groups = dict[tuple[str, ...], Group]


def list_letters(
    topic: TopicArgument,
    service: ServiceOption = None,
    error: ErrorOption = None,
    node: NodeOption = None,
    stage: StageOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    source_partition: SourcePartitionOption = None,
    source_offset: SourceOffsetOption = None,
    n: Annotated[
        int, typer.Option("-n", "--newest", min=0, help="How many of the newest are shown.")
    ] = _NEWEST,
    brokers: BrokersOption = None,
    wait: WaitOption = WAIT_S,
    output: OutputOption = Output.TABLE,
) -> None:
    """List dead letters: how many of each error, and the newest; joins no group."""
    from worker.cli.progress import Meter

    given = Given(service, error, node, stage, since, until, source_partition, source_offset)
    settings, wanted = settings_for(brokers), given.wanted()
    with like_ctrl_c(), Meter(shown=True, noun="letters") as meter:
        box = opened(settings, topic, wait, Waiting())
        groups, newest = _counted(box, wanted, n, meter)
    ordered = sorted(groups.items(), key=lambda item: -item[1].letters)
    if output is Output.JSON:
        _print_json(box, ordered, newest)
    elif not groups:
        err.print(f"no such dead letters in {topic}")
    else:
        _print_table(box, ordered, newest)


def _counted(box: Box, wanted: Wanted, n: int, meter: Any) -> tuple[Groups, list[Letter]]:
    """The letters by how they failed, and the newest of them, the latest first."""
    from worker.stream.tools import replays

    groups: Groups = {}
    heap: list[tuple[int, int, Letter]] = []
    order = counted()  # letters themselves cannot be compared
    for letter in box.letters(wanted, meter.update):
        names = tuple(letter.text(name) for name in _GROUPED)
        mark = replays.of(box.marks, letter)
        groups.setdefault(names, Group()).add(letter.at_ms, replayed=mark is not None)
        heapq.heappush(heap, (letter.at_ms, next(order), letter))
        if len(heap) > n:
            heapq.heappop(heap)
    return groups, [letter for _, _, letter in sorted(heap, reverse=True)]


def _print_json(
    box: Box, ordered: list[tuple[tuple[str, ...], Group]], newest: list[Letter]
) -> None:
    print_json(
        {
            "topic": box.topic,
            "letters": sum(group.letters for _, group in ordered),
            "replayed": sum(group.replayed for _, group in ordered),
            "by_error": [
                {
                    **dict(zip(_GROUPED, names, strict=True)),
                    "letters": group.letters,
                    "replayed": group.replayed,
                    "first_at": iso(group.first_ms),
                    "last_at": iso(group.last_ms),
                }
                for names, group in ordered
            ],
            "newest": [about(box, letter) for letter in newest],
        }
    )


def _print_table(
    box: Box, ordered: list[tuple[tuple[str, ...], Group]], newest: list[Letter]
) -> None:
    rows: list[tuple[str, ...]] = [
        ("letters", "replayed", *_GROUPED, "first (UTC)", "last (UTC)"),
    ]
    for names, group in ordered:
        times = moment(group.first_ms), moment(group.last_ms)
        shown = (name or "-" for name in names)
        rows.append((f"{group.letters:,}", f"{group.replayed:,}", *shown, *times))
    print_rows(rows, ("bold", "green", "red", "", "cyan", "", "dim", "dim"))
    total = sum(group.letters for _, group in ordered)
    out.print(f"{count(total, 'dead letter')}, {sum(g.replayed for _, g in ordered):,} replayed")
    if newest:
        out.print("\nthe newest; `rtml dlq show LETTER` shows one", style="dim")
        print_rows([_row(box, letter) for letter in newest], ("bold", "dim", "red", "cyan", ""))


def _row(box: Box, letter: Letter) -> tuple[str, ...]:
    from worker.stream.tools import replays

    message = letter.text("message")
    if len(message) > _MESSAGE_LENGTH:
        message = message[: _MESSAGE_LENGTH - 3] + "..."
    if replays.of(box.marks, letter):
        message = f"(replayed) {message}"
    place = letter.text("node") or letter.text("stage") or "-"
    return letter.id, moment(letter.at_ms), letter.text("error") or "-", place, message


def about(box: Box, letter: Letter) -> dict[str, Any]:
    """A letter without its value."""
    from worker.stream.tools import replays

    mark = replays.of(box.marks, letter)
    topic, partition, offset = letter.source or (None, None, None)
    names = ("service", "graph", "node", "stage", "error", "message", "model", "attempt")
    return {
        "letter": letter.id,
        "at": iso(letter.at_ms),
        "source": {"topic": topic, "partition": partition, "offset": offset},
        **{name: letter.text(name) or None for name in names},
        "first_at": letter.text("first-at") or None,
        "replay_of": letter.text("replay-of") or None,
        "replayed_at": iso(mark.at_ms) if mark else None,
    }
