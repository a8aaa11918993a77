"""The order of things: loads, rounds that alternate, latency; each process by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from bench import floor, latency, load, measure, product, scores, topics
from bench.latency import Latency
from bench.measure import Throughput
from bench.report import Paces, Round

WARM_UP_EVENTS = 100_000
LATENCY_WARM_UP_S = 20


class Session:
    """Measurements on one broker with one load."""

    def __init__(
        self, brokers: str, folder: Path, events: list[load.Event], say: Callable[[str], None]
    ) -> None:
        """``folder`` takes what the processes print; ``say`` is told what goes on."""
        self._brokers, self._folder, self._events, self._say = brokers, folder, events, say
        self._runs = 0

    def warm_up(self) -> None:
        """Lets the broker's compilers see the work before it counts."""
        self._say("warming the broker up")
        self._reload(self._events[:WARM_UP_EVENTS])
        self._floor(min(WARM_UP_EVENTS, len(self._events)))

    def round(self, i: int, rounds: int) -> Round:
        """Both on a new load; who is first alternates.

        Raises:
            RuntimeError: a process ended, or its output is wrong.
        """
        name = f"round {i + 1} of {rounds}"
        self._say(f"{name}: {len(self._events):,} events into Kafka")
        self._reload(self._events)
        n = len(self._events)
        if i % 2:
            self._say(f"{name}: product, then floor")
            done = self._product(n)
            return Round(self._floor(n), done)
        self._say(f"{name}: floor, then product")
        return Round(self._floor(n), self._product(n))

    def latency(self, rounds: int, seconds: int) -> list[Paces]:
        """The floor's and the product's, on a broker whose compilers know the work by then.

        Raises:
            RuntimeError: a process ended, or events did not come out in time.
        """
        self._say(f"warming the broker up at {latency.RATE:,} events/s")
        self._latency("floor", LATENCY_WARM_UP_S)
        found = []
        for i in range(rounds):
            self._say(f"latency, round {i + 1} of {rounds}, at {latency.RATE:,} events/s")
            found.append(Paces(self._latency("floor", seconds), self._latency("product", seconds)))
        return found

    def _latency(self, name: str, seconds: int) -> Latency:
        topics.renew(self._brokers)
        output = {"floor": topics.PASSED_ON, "product": topics.SCORED}[name]
        return latency.run(self._brokers, self._command(name), self._log(), output, seconds)

    def _reload(self, events: list[load.Event]) -> None:
        topics.renew(self._brokers)
        load.produce(self._brokers, topics.EVENTS, events)

    def _floor(self, events: int) -> Throughput:
        command, outputs = self._command("floor"), [topics.PASSED_ON]
        return measure.run(self._brokers, command, self._log(), events, outputs)

    def _product(self, events: int) -> Throughput:
        command, outputs = self._command("product"), [topics.SCORED, topics.DEAD]
        done = measure.run(self._brokers, command, self._log(), events, outputs)
        self._say("comparing the scores with those of ONNX Runtime")
        scores.check(self._brokers, self._events)
        return done

    def _command(self, name: str) -> list[str]:
        group = f"bench-{name}-{time.time_ns()}"
        if name == "product":
            return product.command(self._brokers, group)
        return floor.command(self._brokers, group, topics.EVENTS, topics.PASSED_ON)

    def _log(self) -> Path:
        self._runs += 1
        return self._folder / f"{self._runs}.log"
