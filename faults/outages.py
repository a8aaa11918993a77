"""A broker that is restarted, cleanly and by SIGKILL, and one that is away for a minute."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import psutil

from faults.finding import Finding, counts
from faults.payload import check, events
from faults.stage import GUARANTEES, PARTITIONS, PATIENCE_S, Stage, hold_until, stretched
from tests.broker import RealKafka
from tests.kafka.client import Record, read_all
from tests.kafka.feeder import Feeder
from tests.kafka.liveness import Liveness, ready
from tests.kafka.reading import Reader
from tests.kafka.service import Service
from tests.kafka.verdict import Verdict
from tests.kafka.waiting import until
from tests.kafka.worker import Worker

PER_S, LONGEST_S = 250, 1_200
NOTICED_S, BACK_S = 15.0, 30.0
GROWTH_MB = 50.0
WINDOW = 6 * 2_048
CALM_S = 3.0
WARM_UP_S = 10


@dataclass(slots=True)
class _Served:
    """One guarantee's service while the broker comes and goes.

    Attributes:
        noticed_s: from the outage to readiness 503.
        back_s: from the broker's return to the first output after it.
    """

    guarantee: str
    service: Service
    worker: Worker
    feed: Feeder
    liveness: Liveness
    reader: Reader
    sent: list[Record]
    rss_mb: float = 0.0
    noticed_s: float = 0.0
    back_s: float = 0.0

    def memory_mb(self) -> float:
        """Of the worker."""
        return float(psutil.Process(self.worker.process.pid).memory_info().rss / 1e6)

    def written_after(self, moment_s: float) -> float | None:
        """When a reader of committed records was given the first one after a moment."""
        return next((at_s for at_s in self.reader.seen_s if at_s > moment_s), None)


def run(stage: Stage) -> Iterator[Finding]:
    """Both guarantees at once, under the same outages."""
    with stage.own_kafka() as kafka, ExitStack() as stack:
        served = [_serve(stage, kafka, guarantee, stack) for guarantee in GUARANTEES]
        for one in served:
            one.rss_mb = one.memory_mb()
        restarts = stage.size(6, 2)
        for number in range(restarts):
            stage.say(f"{number} of {restarts} restarts")
            _restart(kafka, served, clean=number % 2 == 0)
        away_s = stage.size(60, 16)
        stage.say(f"away for {away_s} s")
        _away(kafka, served, away_s)
        for one in served:
            one.feed.stop()
            one.service.settled(timeout_s=PATIENCE_S)
        yield from [_told(one, restarts, away_s) for one in served]


def _serve(stage: Stage, kafka: RealKafka, guarantee: str, stack: ExitStack) -> _Served:
    per_s = stage.pace(PER_S)
    service, sent = stage.service(kafka.bootstrap, guarantee=guarantee), events(per_s * LONGEST_S)
    worker = stack.enter_context(service.worker())
    worker.wait_ready(PATIENCE_S)
    feed = stack.enter_context(Feeder(kafka.bootstrap, service.source, sent, per_s))
    stack.callback(feed.stop)
    liveness = stack.enter_context(Liveness(worker))
    reader = stack.enter_context(Reader(kafka.bootstrap, service.sink, PARTITIONS))
    one = _Served(guarantee, service, worker, feed, liveness, reader, sent)
    until(lambda: reader.seen, PATIENCE_S)
    # So that what grows later is not what a start takes.
    feed.wait_sent(WARM_UP_S * per_s, PATIENCE_S)
    return one


def _restart(kafka: RealKafka, served: Sequence[_Served], *, clean: bool) -> None:
    (kafka.stop if clean else kafka.kill)()
    kafka.start()
    _await_output(served)
    for one in served:
        until(lambda one=one: ready(one.worker)[0] == 200, PATIENCE_S)  # type: ignore[misc]
    hold_until(time.monotonic() + CALM_S)


def _away(kafka: RealKafka, served: Sequence[_Served], away_s: float) -> None:
    kafka.kill()
    gone_s = time.monotonic()
    for one in served:
        until(lambda one=one: ready(one.worker)[0] == 503, PATIENCE_S)  # type: ignore[misc]
        one.noticed_s = time.monotonic() - gone_s
    hold_until(gone_s + away_s)
    kafka.start()
    _await_output(served)


def _await_output(served: Sequence[_Served]) -> None:
    """The next output of each, and how long it takes."""
    there_s = time.monotonic()
    for one in served:
        until(lambda one=one: one.written_after(there_s), PATIENCE_S)  # type: ignore[misc]
        one.back_s = (one.written_after(there_s) or there_s) - there_s


def _told(one: _Served, restarts: int, away_s: float) -> Finding:
    bootstrap, exact = one.service.bootstrap, one.guarantee == "exactly_once"
    grown_mb = one.memory_mb() - one.rss_mb
    one.liveness.stop()
    code = one.worker.terminate()
    sent = one.sent[: one.feed.sent]
    verdict = check(sent, one.service.scored())
    # Killed, Kafka may forget what it has of the suite's own producer, which then sends it twice.
    twice = len(read_all(bootstrap, one.service.source)) - len(sent)
    bound = twice if exact else twice + (restarts + 1) * WINDOW
    (noticed_s, noticed), (back_s, back) = stretched(NOTICED_S), stretched(BACK_S)
    return Finding(
        "outages",
        f"{one.guarantee.replace('_', ' ')}, {one.feed.per_s} events/s, broker restarted "
        f"{restarts} times (every second time by SIGKILL), then killed and away for {away_s:g} s",
        f"{counts(verdict)} ({twice} twice in the source), exit {code}, liveness not 200: "
        f"{one.liveness.failed}/{one.liveness.asked}, readiness 503 after {one.noticed_s:.1f} s, "
        f"first output {one.back_s:.1f} s after its return, RSS {grown_mb:+.0f} MB",
        f"lost 0, {'duplicated 0 beyond the source, ' if exact else ''}exit 0, liveness always "
        f"200, 503 <= {noticed}, first output <= {back}, RSS <= +{GROWTH_MB:g} MB",
        _is_met(one, verdict, bound)
        and code == 0
        and one.noticed_s <= noticed_s
        and one.back_s <= back_s
        and grown_mb <= GROWTH_MB,
    )


def _is_met(one: _Served, verdict: Verdict, bound: int) -> bool:
    wrong = (verdict.lost, verdict.reordered, verdict.altered, one.liveness.failed)
    return wrong == (0, 0, 0, 0) and verdict.duplicated <= bound and one.liveness.asked > 0
