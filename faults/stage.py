"""Where the rows of the suite play: a Kafka, a folder, a seed, and how much of everything."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults.finding import Finding
from tests.broker import Listener, RealKafka
from tests.kafka.service import Service, make_service

PARTITIONS = 4
GUARANTEES = ("at_least_once", "exactly_once")
SESSION_S, LONGEST_SESSION_S = 3.0, 10.0
SLOWEST_PER_S = 50
BROKER = {"group.min.session.timeout.ms": "1000"}
PATIENCE_S = 240.0
"""After which a row gives up what must come sooner or later."""
JVM = ("-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


@dataclass(frozen=True, slots=True)
class Stage:
    """What every row is given.

    Attributes:
        bootstrap: of the Kafka that the rows share; who breaks one starts his own.
        folder: for files that go away with the call.
        seed: of everything that is drawn.
        quick: a fraction of everything.
        say: is told what goes on.
        slack: by how much others slowed the machine down at the start; see `slack`.
    """

    bootstrap: str
    folder: Path
    seed: int
    quick: bool
    say: Callable[[str], None]
    slack: float = 1.0

    @property
    def session_s(self) -> float:
        """How long a killed or stopped worker is not missed: longer where starts are slow."""
        return min(SESSION_S * self.slack, LONGEST_SESSION_S)

    @property
    def short_session(self) -> dict[str, str]:
        """The setting of it; the worker's own default is 10 s."""
        return {"RTML_SESSION_TIMEOUT_MS": str(int(self.session_s * 1_000))}

    def size(self, full: int, quick: int) -> int:
        """How much of something."""
        return quick if self.quick else full

    def pace(self, per_s: int) -> int:
        """Events per second, fewer where others slow the machine down."""
        return max(SLOWEST_PER_S, int(per_s / self.slack))

    def draw(self, row: str) -> random.Random:
        """Random numbers of a row: the same ones, whichever rows ran before."""
        return random.Random(f"{self.seed} {row}")

    def service(self, bootstrap: str = "", **given: Any) -> Service:
        """A service with topics, a group and a folder of its own; see `make_service`."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        models: Mapping[str, bytes] = given.pop("models", {})
        for name, model in models.items():
            (folder / name).write_bytes(model)
        return make_service(bootstrap or self.bootstrap, folder, partitions=PARTITIONS, **given)

    @contextmanager
    def own_kafka(self, listeners: Sequence[Listener] = ()) -> Iterator[RealKafka]:
        """A Kafka for one row, to be stopped, killed and cut off."""
        with RealKafka(BROKER, listeners, JVM) as kafka:
            yield kafka


Row = Callable[[Stage], Iterable[Finding]]
"""Plays its faults, and tells a finding after each."""


def slack() -> float:
    """By how much bounds of time are stretched now: how often others want each core."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def stretched(bound_s: float) -> tuple[float, str]:
    """A bound of time as it holds on this machine now, and how the pass line tells it."""
    factor = slack()
    if factor <= 1.0:
        return bound_s, f"{bound_s:g} s"
    return bound_s * factor, f"{bound_s:g} s (x {factor:.1f}: the machine was shared)"


def hold_until(moment_s: float) -> None:
    """Waits for a moment of the monotonic clock: what is played is a time."""
    time.sleep(max(0.0, moment_s - time.monotonic()))
