"""One benchmark: events that wait and events on a schedule, through the worker and the floor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice

from worker.errors import TransportError
from worker.settings import Settings
from worker.stream.tools.bench.account import Account, numbered
from worker.stream.tools.bench.clock import ahead_s
from worker.stream.tools.bench.contender import Contender, Kind
from worker.stream.tools.bench.latency import Latency, Pace, latency
from worker.stream.tools.bench.place import Place
from worker.stream.tools.bench.throughput import Throughput, throughput
from worker.stream.tools.bench.use import use_of
from worker.stream.tools.bench.watch import Watch
from worker.stream.tools.events import Event
from worker.stream.tools.send import Sender

READY_S = 60.0
LOAD_LINGER_MS = 20.0
"""The load waits in large record batches, as that of a busy producer does."""
_TELL_EVERY = 5_000

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Load:
    """What the processes are given.

    Attributes:
        values: of events; repeated.
        waiting: how many events wait for a process whose throughput is measured.
        pace: at which events come to the worker whose latency is measured.
        floor_pace: the same of the floor.
    """

    values: Sequence[bytes]
    waiting: int
    pace: Pace
    floor_pace: Pace

    def events(self, first: int = 0) -> Iterator[Event]:
        """Without end, numbered from ``first`` on."""
        return numbered(cycle(self.values), first)


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one process."""

    throughput: Throughput
    latency: Latency


@dataclass(frozen=True, slots=True)
class Findings:
    """What a benchmark found.

    Attributes:
        worker, floor: of each.
        account: of all the worker's events.
    """

    worker: Figures
    floor: Figures
    account: Account

    @property
    def ratio(self) -> float:
        """The part of the floor's events per second that the worker does."""
        return self.worker.throughput.events_per_s / self.floor.throughput.events_per_s


def measure(
    settings: Settings, place: Place, worker: Kind, floor: Kind, load: Load, say: Say
) -> Findings:
    """Measures one process after the other; each event must have its outcome.

    Args:
        settings: whose brokers are used.
        place: whose topics exist and are empty.
        worker: reads the place's events, and writes to its scored and dead ones.
        floor: reads the place's events, and writes to its passed ones.
        load: what they are given.
        say: told what goes on.

    Raises:
        ChildEnded: a process ended.
        ConfigError: there are too few events to be timed.
        Incomplete: events are missing or came out twice.
        TransportError: Kafka cannot be reached, or refuses.
    """
    n = load.waiting
    _fill(settings, place.events, islice(load.events(), n), n, say)
    ahead = ahead_s(settings, place.passed)
    # The first time is for the broker, whose compilers and caches would favour whoever is later.
    for title in ("floor, to warm up", "floor"):
        with Contender(settings, place, floor, n) as passing:
            passed = _throughput(passing, n, ahead, title, say)
    with Contender(settings, place, worker, n + load.pace.events) as scoring:
        scored = _throughput(scoring, n, ahead, "worker", say)
        arrived = _latency(settings, place, scoring, load.events(n), load.pace, "worker", say)
        scoring.check(n + load.pace.events)
    with Contender(settings, place, floor, load.floor_pace.events, "latest") as passing:
        other = _latency(settings, place, passing, load.events(), load.floor_pace, "floor", say)
        passing.check(load.floor_pace.events)
    return Findings(Figures(scored, arrived), Figures(passed, other), scoring.account)


def _fill(settings: Settings, topic: str, events: Iterable[Event], n: int, say: Say) -> None:
    """Puts the load into an empty topic.

    Raises:
        TransportError: Kafka did not take all of it.
    """
    sender = Sender(settings, topic, linger_ms=LOAD_LINGER_MS)
    for i, event in enumerate(events):
        sender.send(*event)
        if i % _TELL_EVERY == 0:
            say(f"load: {i:,} of {n:,} events")
    sender.finish()
    if sender.failed:
        reason = f"{sender.failed:,} of {n:,} events were not taken: {sender.reason}"
        raise TransportError(reason, retriable=sender.unreachable)


def _throughput(contender: Contender, n: int, ahead: float, title: str, say: Say) -> Throughput:
    """Of a process that was just started on n events that wait for it."""
    say(f"{title}: starting")
    with Watch(partial(use_of, contender.process.pid)) as watch:
        contender.process.wait_ready(READY_S)
        contender.finish(lambda found: say(f"{title}: {found:,} of {n:,} events"))
    say(f"{title}: counting")
    stamps_ms = contender.collect()
    contender.check(n)
    return throughput(stamps_ms, watch, events=n, ahead_s=ahead)


def _latency(
    settings: Settings,
    place: Place,
    contender: Contender,
    events: Iterator[Event],
    pace: Pace,
    title: str,
    say: Say,
) -> Latency:
    def told(found: int) -> None:
        say(f"{title}, at {pace.rate:,} events/s: {found:,} of {pace.events:,} events")

    found = latency(settings, place.events, contender, events, pace, told)
    contender.collect()
    return found
