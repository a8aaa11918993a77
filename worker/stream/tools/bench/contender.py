"""One process that reads the events of a place and writes outcomes: the worker, or the floor."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from worker.settings import Settings
from worker.stream.connect import STOP_TIMEOUT_S
from worker.stream.tools import connect
from worker.stream.tools.bench.account import Account, Incomplete
from worker.stream.tools.bench.place import Place
from worker.stream.tools.child import Child
from worker.stream.tools.command import module
from worker.stream.tools.group import Committed, begin_group
from worker.stream.tools.process import EXIT_S
from worker.stream.tools.read import Reader
from worker.stream.tools.span import Span

STALL_S = 60.0
"""Without one further event for so long, what is missing is missing."""
SETTLE_S = 5.0
POLL_S = 0.1
_READ = 2_000

Told = Callable[[int], None]
"""Told how many events are through, many times."""


class Floor(Child):
    """The bare pass-through, see `worker.stream.tools.bench.floor`."""

    def __init__(
        self, settings: Settings, group: str, place: Place, environment: Mapping[str, str]
    ) -> None:
        """Starts it; ``environment`` is all it gets."""
        given = (settings.brokers, group, place.events, place.passed)
        program = module("worker.stream.tools.bench.floor", *given)
        super().__init__("floor", program, environment, 2 * STOP_TIMEOUT_S + EXIT_S)

    def wait_ready(self, timeout_s: float) -> None:
        """Nothing tells."""

    def dropped(self) -> Counter[str]:
        """It drops nothing."""
        return Counter()


class Process(Protocol):
    """What a `Floor` and a `worker.stream.tools.process.WorkerProcess` share."""

    name: str
    log: Path
    keep_log: bool

    @property
    def pid(self) -> int:
        """The process id."""

    def wait_ready(self, timeout_s: float) -> None:
        """Returns once it is ready."""

    def check(self) -> None:
        """Notices that it ended by itself."""

    def dropped(self) -> Counter[str] | None:
        """How many events it dropped so far, by reason."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of contender.

    Attributes:
        name: of its groups.
        outputs: the topics that it writes to.
        start: starts it in a group.
    """

    name: str
    outputs: tuple[str, ...]
    start: Callable[[str], contextlib.AbstractContextManager[Process]]


class Contender:
    """A running process in a group of its own; leaving the context stops it.

    Attributes:
        process: itself.
        account: of the events that it was given.
    """

    def __init__(
        self,
        settings: Settings,
        place: Place,
        kind: Kind,
        n: int,
        at: Literal["earliest", "latest"] = "earliest",
    ) -> None:
        """Starts it.

        Args:
            settings: whose brokers are used.
            place: whose topics.
            kind: what is started.
            n: more than the highest number of an event that it is given.
            at: where in the topic of the events it begins.

        Raises:
            TransportError: Kafka cannot be reached, or refuses.
        """
        self.account = Account(place.dead, n)
        self._settings, self._partitions = settings, place.partitions
        self._events = {place.events: place.partitions}
        self._outputs = dict.fromkeys(kind.outputs, place.partitions)
        group = place.group(kind.name)
        starts = connect.offsets(settings, self._events, at)
        begin_group(settings, group, starts)
        self._read = connect.offsets(settings, self._outputs, "latest")
        with contextlib.ExitStack() as stack:
            self._committed = stack.enter_context(Committed(settings, group, starts))
            self.process = stack.enter_context(kind.start(group))
            self._stack = stack.pop_all()

    def finish(self, told: Told) -> None:
        """Returns once every event that is in the topic now has an outcome.

        Raises:
            ChildEnded: the process ended.
            Incomplete: nothing went on for `STALL_S`.
        """
        wanted = self.waiting_for()
        before, since_s = -1, time.monotonic()
        while (found := self._committed.count()) < wanted:
            self.process.check()
            if found != before:
                before, since_s = found, time.monotonic()
            if time.monotonic() - since_s > STALL_S:
                raise self.incomplete(f"{wanted - found:,} events wait since {STALL_S:.0f} s")
            told(found)
            time.sleep(POLL_S)

    def waiting_for(self) -> int:
        """What `through` is once there is nothing more to do."""
        return sum(connect.offsets(self._settings, self._events, "latest").values())

    def through(self) -> int:
        """How many events of the topic have their outcome."""
        return self._committed.count()

    def collect(self) -> npt.NDArray[np.int64]:
        """Counts the outcomes since the last call: ``(n,)``, when Kafka appended them, in ms.

        Raises:
            TransportError: they cannot be read.
        """
        ends = self.ends()
        span = Span(self._settings, self._read, ends, SETTLE_S, lambda _: None)
        records, stamps_ms = span.records(), list[int | None]()
        while some := list(islice(records, _READ)):
            self.account.note(some)
            stamps_ms += [record.timestamp_ms for record in some]
        self._read = ends
        return np.array(stamps_ms, np.int64)

    def ends(self) -> dict[connect.Place, int]:
        """Where the topics of its outcomes end now."""
        return connect.offsets(self._settings, self._outputs, "latest")

    @contextlib.contextmanager
    def follow(self) -> Iterator[Reader]:
        """Reads the outcomes that come after those that were collected; the caller counts them."""
        with Reader(self._settings, self._read) as reader:
            yield reader
            self._read = dict(reader.reached)

    def check(self, sent: int) -> None:
        """Holds its account against the events that it was given by now.

        Raises:
            Incomplete: there is not one outcome for each.
        """
        ledger, deadline_s = self.account.ledger, time.monotonic() + SETTLE_S
        ledger.sent = sent
        while True:
            # What is dropped stands in its metrics only, a moment after it was committed.
            ledger.dropped = self.process.dropped() or ledger.dropped
            if self.account.complete:
                return
            if time.monotonic() > deadline_s:
                raise self.incomplete(str(self.account))
            time.sleep(POLL_S)

    def incomplete(self, reason: str) -> Incomplete:
        """The error; the log of the process is kept."""
        self.process.keep_log = True
        where = f"; its log: {self.process.log}"
        return Incomplete(f"the {self.process.name}: {reason}{where}")

    def __enter__(self) -> Contender:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
