"""From the start of a process to its first score, and from a publish to its being served."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from bench import latency, workloads
from bench.broker import about, kafka
from bench.contenders import PRODUCT
from bench.options import Options, Sizes
from bench.report import machine
from bench.results import keep, kept
from bench.session import Session
from bench.subject import Subject
from bench.topics import SCORED, Reader
from worker.graph.spec import load as load_spec
from worker.models.store.store import Store
from worker.services import deploy
from worker.services.document import self_contained
from worker.services.journal import Journal
from worker.settings import Settings

FULL, QUICK = Sizes(1_000, 5, 0), Sizes(1_000, 2, 0)
WAIT_S = 60.0
LOCATION = "bench"


@dataclass(frozen=True, slots=True)
class Starts:
    """What was found, in seconds, one for each round.

    Attributes:
        first_score_s: from the start of the process, in a new group with events waiting, until
            Kafka has the first outcome.
        publish_s: from the call until the running worker says that it serves; Kafka is connected
            to and the registry read in that time too.
    """

    machine: dict[str, str]
    setup: dict[str, str]
    first_score_s: list[float]
    publish_s: list[float]

    @property
    def text(self) -> str:
        """The same in words."""
        first, publish = (statistics.median(one) for one in (self.first_score_s, self.publish_s))
        return (
            f"First score {first:.2f} s after the process starts"
            f" ({min(self.first_score_s):.2f} to {max(self.first_score_s):.2f}, in"
            f" {len(self.first_score_s)} starts); a publish to a running worker is served after"
            f" {publish:.2f} s ({min(self.publish_s):.2f} to {max(self.publish_s):.2f})."
        )

    def show(self, console: Console) -> None:
        """Prints it."""
        console.print(self.text)

    def write(self) -> Path:
        """Keeps it."""
        return keep("start", asdict(self))

    @classmethod
    def read(cls) -> Starts | None:
        """What the last call found, if there was one."""
        found = kept("start")
        return cls(**found) if found is not None else None


def run(options: Options) -> Starts:
    """Starts workers one after the other, then publishes to one.

    Raises:
        RuntimeError: a worker ended, or a publish is not served.
        KafkaUnavailable: there is none.
    """
    sizes, where = options.sizes(FULL, QUICK), machine()
    workload = workloads.lr()
    with kafka(options.brokers) as brokers:
        session = Session(brokers, options.folder, workload, options.say)
        firsts = [_first_score(session, brokers, sizes.events) for _ in range(sizes.rounds)]
        publishes = _publishes(brokers, options, workload.graph, sizes.rounds)
    return Starts(where, {"kafka": about(options.brokers)}, firsts, publishes)


def _first_score(session: Session, brokers: str, events: int) -> float:
    session.load(events)
    begun_s = time.time()
    with session.subject(PRODUCT, renewed=False) as subject, Reader(brokers) as reader:
        latency.wait(reader, subject, SCORED)
        return min(one.timestamp()[1] for one in reader.read(SCORED)) / 1_000 - begun_s


def _publishes(brokers: str, options: Options, graph: Path, rounds: int) -> list[float]:
    """The first is not counted: it waits for the worker to be there."""
    store = options.folder / "store"
    command = [sys.executable, "-m", "worker", "run", "--location", LOCATION, "--http-port", "0"]
    settings = {"RTML_MODEL_STORE": str(store)}
    log = options.folder / "location.log"
    with Subject([*command, "--brokers", brokers], log, environment=settings) as subject:
        found = [_publish(brokers, options, graph, store) for _ in range(rounds + 1)]
        subject.check()
    return found[1:]


def _publish(brokers: str, options: Options, graph: Path, store: Path) -> float:
    options.say("publishing")
    given = Store(str(store), options.folder / "cache")
    spec, plan = self_contained(load_spec(graph)[0], graph.parent, given)

    async def publish() -> float:
        begun_s = time.monotonic()
        async with Journal(Settings(brokers=brokers), WAIT_S) as journal:
            while not (
                done := await deploy.publish(journal, spec, plan, location=LOCATION, wait_s=WAIT_S)
            ).workers:
                await deploy.delete(journal, done.service.id, wait_s=0)
            took_s = time.monotonic() - begun_s
            if done.problem:
                raise RuntimeError(f"a publish is not served: {done.problem}")
            await deploy.delete(journal, done.service.id, wait_s=WAIT_S)
            return took_s

    return asyncio.run(publish())
