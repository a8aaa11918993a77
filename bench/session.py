"""One broker and one workload: loads, and each contender by itself on them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from bench import latency, load, measure, scores, topics
from bench.contenders import EVERY, FLOOR, PRODUCT, Contender, Job
from bench.latency import Latency
from bench.subject import Subject
from bench.workloads import Workload
from worker.stream.tools.bench.throughput import Throughput, throughput

WARM_UP_EVENTS = 100_000


class Session:
    """Measurements on one broker with one workload."""

    def __init__(
        self,
        brokers: str,
        folder: Path,
        workload: Workload,
        say: Callable[[str], None],
        partitions: int = topics.PARTITIONS,
    ) -> None:
        """``folder`` takes what the processes print; ``say`` is told what goes on."""
        self._brokers, self._folder, self._say = brokers, folder, say
        self._workload, self._partitions = workload, partitions
        self._events: list[load.Event] = []

    def warm_up(self) -> None:
        """Lets the broker's compilers see the work before it counts."""
        self._say("warming the broker up")
        self.load(WARM_UP_EVENTS)
        self.throughput(FLOOR)

    def load(self, n: int) -> None:
        """Puts so many events into new topics, or as many as the workload has."""
        if len(self._events) != n:
            self._events = self._workload.events(n)
        self._say(f"{self._workload.name}: {len(self._events):,} events into Kafka")
        self._renew()
        load.produce(self._brokers, topics.EVENTS, self._events)

    def throughput(self, contender: Contender) -> Throughput:
        """Of one contender on that load.

        Raises:
            RuntimeError: its process ended, or its output is wrong.
            PeerUnavailable: it cannot be had here.
        """
        command = self._command(contender)
        self._say(f"{self._workload.name}: {contender.title}")
        outputs = [contender.sink, *([topics.DEAD] if contender.name == PRODUCT.name else [])]
        log, n = self._log(contender), len(self._events)
        group = command[command.index("--group") + 1] if self._workload.transactional else None
        subject = measure.run(self._brokers, command, log, n, outputs, group)
        self._say(f"{self._workload.name}: checking the output of {contender.title}")
        output = scores.read(self._brokers, contender, n if group else None)
        scores.check(output, contender, self._workload, self._events)
        return throughput(output.stamps_ms, subject.watch, contender.warm_up)

    def latency(self, contender: Contender, seconds: int, rate: int = latency.RATE) -> Latency:
        """Of one contender, at a fixed rate.

        Raises:
            RuntimeError: its process ended, or events did not come out in time.
            PeerUnavailable: it cannot be had here.
        """
        command = self._command(contender)
        self._say(f"{self._workload.name}: latency of {contender.title} at {rate:,} events/s")
        self._renew()
        log = self._log(contender)
        return latency.run(self._brokers, command, log, contender.sink, seconds, rate)

    def subject(self, contender: Contender, *, renewed: bool = True) -> Subject:
        """One contender, by default on new topics, to be started and watched by the caller."""
        command = self._command(contender)
        if renewed:
            self._renew()
        return Subject(command, self._log(contender))

    def _renew(self) -> None:
        outputs = {*(one.sink for one in EVERY), topics.DEAD}
        topics.renew(self._brokers, sorted(outputs), self._partitions)

    def _command(self, contender: Contender) -> list[str]:
        group = f"bench-{contender.name}-{time.time_ns()}"
        return contender.command(Job(self._brokers, group, contender.sink, self._workload))

    def _log(self, contender: Contender) -> Path:
        return self._folder / f"{contender.name}-{time.time_ns()}.log"
