"""Events through a worker of its own: sent at a rate, their outcomes read back and counted."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType

from worker.graph.plan import Plan
from worker.settings import Settings
from worker.stream.tools import connect
from worker.stream.tools.events import Event, Pace
from worker.stream.tools.group import begin_group, forget_groups
from worker.stream.tools.ledger import Ledger
from worker.stream.tools.process import WorkerProcess
from worker.stream.tools.read import Reader
from worker.stream.tools.send import Sender

AHEAD_BYTES = 4_000_000
"""Sent and still without an outcome: less than a partition of the embedded broker retains."""
STALL_S = 20.0
"""Without one further outcome for so long, what is missing is missing."""
BURST = 500
POLL_S = 0.02
ASK_WORKER_S = 0.25
"""Between two looks at the worker's metrics while records come; drops stand nowhere else."""


class Trial:
    """A worker that serves one graph from where its topics end now, and what comes of it.

    Attributes:
        worker: its process.
        ledger: what became of the events so far.
        seconds: from the first event to the last outcome.
    """

    def __init__(
        self,
        graph: Path,
        plan: Plan,
        settings: Settings,
        environment: Mapping[str, str],
        *,
        forget: bool,
    ) -> None:
        """Starts the worker; leaving the context stops it.

        Args:
            graph: the graph file.
            plan: of that file; its topics exist.
            settings: whose brokers are used.
            environment: of the worker; its security settings must be those of ``settings``.
            forget: delete the worker's group afterwards. Not on the embedded broker: it lacks the
                request, and librdkafka then ends the process.

        Raises:
            TransportError: Kafka cannot be reached, or refuses.
        """
        counts = connect.topics(settings, connect.LOOK_UP_S, lambda _: None)
        source, dead = plan.spec.source.topic, plan.spec.dead_letter_topic
        self.ledger, self.seconds = Ledger(dead), 0.0
        self._settings, self._forget, self._asked_s = settings, forget, 0.0
        self._outputs = {topic: counts[topic] for topic in (*plan.topics, dead)}
        self._group = f"rtml-demo-{secrets.token_hex(4)}"
        begin_group(
            settings, self._group, connect.offsets(settings, {source: counts[source]}, "latest")
        )
        starts = connect.offsets(settings, self._outputs, "latest")
        with contextlib.ExitStack() as stack:
            self._reader = stack.enter_context(Reader(settings, starts))
            self._sender = Sender(settings, source)
            options = ["--brokers", settings.brokers, "--group", self._group]
            self.worker = stack.enter_context(WorkerProcess(graph, options, environment))
            self._stack = stack.pop_all()

    @property
    def refused(self) -> str:
        """How many events Kafka did not take, and why; empty if it took all."""
        failed = self._sender.failed
        return f"{failed:,} events: {self._sender.reason}" if failed else ""

    def stream(
        self, events: Iterator[Event], per_second: float | None, told: Callable[[int], None]
    ) -> None:
        """Sends the events and counts outcomes until there is one for each, or no more come.

        Args:
            events: with an end.
            per_second: the rate at which they are sent; None is as fast as they are scored.
            told: the number of outcomes so far, many times.

        Raises:
            ChildEnded: the worker ended.
            TransportError: a topic that cannot be read.
        """
        ledger, pace = self.ledger, Pace(per_second)
        begun_s = progress_s = time.monotonic()
        given = given_bytes = 0
        following = next(events, None)
        while True:
            burst = 0
            while following is not None and burst < BURST and pace.due_in_s(given) == 0:
                if given and (given - ledger.outcomes) * given_bytes / given > AHEAD_BYTES:
                    break
                self._sender.send(*following)
                given, burst = given + 1, burst + 1
                given_bytes += len(following[0])
                following = next(events, None)
            before = ledger.outcomes
            self._look(min(POLL_S, pace.due_in_s(given)) if following is not None else POLL_S)
            told(ledger.outcomes)
            now_s = time.monotonic()
            if ledger.outcomes != before:
                self.seconds = now_s - begun_s
            if burst or ledger.outcomes != before:
                progress_s = now_s
            settled = self._sender.sent + self._sender.failed == given
            if following is None and settled and ledger.outcomes >= self._sender.sent:
                return
            if now_s - progress_s > STALL_S and ledger.outcomes < given:
                return

    def _look(self, timeout_s: float) -> None:
        self._sender.poll()
        self.ledger.sent = self._sender.sent
        records = self._reader.take(BURST, timeout_s)
        self.ledger.note(records)
        if not records or time.monotonic() - self._asked_s > ASK_WORKER_S:
            self.worker.check()
            self.ledger.dropped = self.worker.dropped() or self.ledger.dropped
            self._asked_s = time.monotonic()

    def settle(self) -> None:
        """Reads on to the ends of the topics, so that what should not be there is counted too."""
        ends = connect.offsets(self._settings, self._outputs, "latest")
        deadline_s = time.monotonic() + STALL_S
        while time.monotonic() < deadline_s and any(
            self._reader.reached[place] < end for place, end in ends.items()
        ):
            self.ledger.note(self._reader.take(BURST, POLL_S))

    def __enter__(self) -> Trial:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
        if self._forget:
            forget_groups(self._settings, [self._group])
