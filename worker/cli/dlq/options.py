"""What the commands of `rtml dlq` share: which letters are meant, and finding them."""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.console import err, printable
from worker.errors import ConfigError, Problem, Stage, nearest

if TYPE_CHECKING:
    from worker.settings import Settings
    from worker.stream.tools.letters import Letter, Wanted
    from worker.stream.tools.replays import Marks
    from worker.stream.tools.span import Span

TopicArgument = Annotated[str, typer.Argument(metavar="TOPIC", help="Of the dead letters.")]
ServiceOption = Annotated[str | None, typer.Option(help="Rejected by this service.")]
ErrorOption = Annotated[str | None, typer.Option(help="Such as RangeError.")]
NodeOption = Annotated[str | None, typer.Option(help="Rejected by the node with this id.")]
StageOption = Annotated[str | None, typer.Option(help=f"One of {', '.join(Stage)}.")]
SinceOption = Annotated[
    str | None,
    typer.Option(
        metavar="WHEN",
        help="Dead since then: RFC 3339, epoch ms, or how long ago: 90s, 15m, 2h, 7d.",
    ),
]
UntilOption = Annotated[str | None, typer.Option(metavar="WHEN", help="Dead before then.")]
SourcePartitionOption = Annotated[
    int | None, typer.Option(min=0, help="Came from this partition of the source topic.")
]
SourceOffsetOption = Annotated[
    str | None, typer.Option(metavar="N[-M]", help="Came from this offset there, or these.")
]

_AGO_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Given:
    """The filters as they were typed."""

    service: str | None
    error: str | None
    node: str | None
    stage: str | None
    since: str | None
    until: str | None
    source_partition: int | None
    source_offset: str | None

    def wanted(self) -> Wanted:
        """Which letters are meant.

        Raises:
            ConfigError: every filter that cannot be read.
        """
        from worker.stream.tools.letters import Wanted

        problems: list[Problem] = []
        if self.stage is not None and self.stage not in set(Stage):
            message = f"there is no stage '{self.stage}'{nearest(self.stage, Stage)}"
            problems.append(Problem("--stage", message))
        since_ms = _moment("--since", self.since, problems)
        until_ms = _moment("--until", self.until, problems)
        offsets = _offsets(self.source_offset, problems)
        if problems:
            raise ConfigError(problems)
        return Wanted(
            self.service,
            self.error,
            self.node,
            self.stage,
            since_ms,
            until_ms,
            self.source_partition,
            offsets,
        )


def _moment(flag: str, text: str | None, problems: list[Problem]) -> int | None:
    """Epoch milliseconds."""
    from worker.dataset.instants import epoch_ms

    if text is None:
        return None
    ago = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    if ago:
        return int(time.time() * 1_000) - int(ago[1]) * _AGO_S[ago[2]] * 1_000
    found = epoch_ms(int(text) if text.isascii() and text.isdigit() else text)
    if found is None:
        message = f"'{text}' is neither a time such as 2026-01-31T12:00:00Z nor one such as 2h ago"
        problems.append(Problem(flag, message))
    return found


def _offsets(text: str | None, problems: list[Problem]) -> tuple[int, int] | None:
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]{1,18})(?:-([0-9]{1,18}))?", text)
    if not found:
        message = f"'{text}' is neither an offset nor a range such as 10-20"
        problems.append(Problem("--source-offset", message))
        return None
    return int(found[1]), int(found[2] or found[1])


@dataclass(frozen=True, slots=True)
class Box:
    """A dead-letter topic as it is now.

    Attributes:
        topic: its name.
        span: its records.
        marks: of the letters that were replayed.
        topics: every topic of this Kafka with its number of partitions.
    """

    topic: str
    span: Span
    marks: Marks
    topics: dict[str, int]

    def letters(
        self, wanted: Wanted, progress: Callable[[int, float | None], None]
    ) -> Iterator[Letter]:
        """The letters that are meant; in the end it is said which names are not there at all.

        Args:
            wanted: which letters are meant.
            progress: told the number of letters seen, and which part of the offsets was read.
        """
        from worker.stream.tools.letters import Letter, Names

        names, total = Names(), self.span.offsets
        found = 0
        for seen, record in enumerate(self.span.records(), 1):
            letter = Letter(record)
            names.note(letter)
            if wanted.takes(letter):
                found += 1
                yield letter
            progress(seen, seen / total if total else None)
        if not found:
            for hint in names.missing(wanted):
                err.print(printable(hint), style="yellow")


def opened(settings: Settings, topic: str, wait_s: float, waiting: Callable[[str], None]) -> Box:
    """The letters of a topic, and which were replayed.

    Raises:
        ConfigError: there is no such topic.
        TransportError: Kafka does not answer.
    """
    from worker.stream.tools import connect, replays
    from worker.stream.tools.span import fetch

    topics = connect.topics(settings, wait_s, waiting)
    connect.need(settings, topic, topics)
    span = fetch(settings, topic, "earliest", wait_s, waiting)
    marked = replays.topic_of(topic) in topics
    marks = replays.read(settings, topic, wait_s, waiting) if marked else {}
    return Box(topic, span, marks, topics)


def moment(at_ms: int) -> str:
    """An instant for people, in UTC."""
    if not at_ms:
        return ""
    found = datetime.datetime.fromtimestamp(at_ms / 1_000, tz=datetime.UTC)
    return f"{found:%Y-%m-%d %H:%M:%S}"


def iso(at_ms: int) -> str | None:
    """An instant for programs."""
    if not at_ms:
        return None
    found = datetime.datetime.fromtimestamp(at_ms / 1_000, tz=datetime.UTC)
    return found.isoformat(timespec="milliseconds").replace("+00:00", "Z")
