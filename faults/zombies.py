"""Zombies: stopped between send and commit for longer than the session, and then awake again."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

from faults.finding import Finding, counts, is_clean
from faults.payload import check, events
from faults.stage import PARTITIONS, PATIENCE_S, Stage, hold_until
from tests.kafka.amid import open_places, owned
from tests.kafka.feeder import Feeder
from tests.kafka.reading import Place, Reader, aborted
from tests.kafka.service import Service
from tests.kafka.waiting import until
from tests.kafka.worker import Worker

PER_S, ROUND_S = 200, 240
SESSIONS = 2.5
ARRIVED_S = 0.3
"""So long after a stop, what the stopped one had sent has reached Kafka, and been dealt with."""
TERMS = {
    # Each batch is full, so that transactions last.
    "RTML_MAX_BATCH_EVENTS": "1",
    "RTML_COMMIT_INTERVAL_MS": "500",
    # So that what it had begun could still be committed when it wakes up.
    "RTML_TRANSACTION_TIMEOUT_MS": "20000",
}


def run(stage: Stage) -> Iterator[Finding]:
    """Two replicas are stopped by turns, where exactly once is promised."""
    rounds = stage.size(10, 2)
    per_s = stage.pace(PER_S)
    service, sent = stage.service(guarantee="exactly_once"), events(per_s * ROUND_S * rounds)
    terms = {**stage.short_session, **TERMS}
    first, second = (service.worker(environment=terms) for _ in range(2))
    begun: set[Place] = set()
    stopped_s = SESSIONS * stage.session_s
    with first, second, Reader(stage.bootstrap, service.sink, PARTITIONS) as reader:
        with Feeder(stage.bootstrap, service.source, sent, per_s) as feed:
            for number in range(rounds):
                stage.say(f"round {number + 1} of {rounds}")
                pair = (first, second) if number % 2 == 0 else (second, first)
                begun |= _round(service, *pair, stopped_s)
            until(lambda: len(owned(first)) == len(owned(second)) == PARTITIONS / 2, PATIENCE_S)
            feed.stop()
        service.settled(timeout_s=PATIENCE_S)
        scored = service.scored()
        until(lambda: len(reader.seen) >= len(scored), PATIENCE_S)
        failed = [len(one.log_events("service_failed")) for one in (first, second)]
        exits = [first.terminate(), second.terminate()]
    verdict = check(sent[: feed.sent], scored)
    accepted = begun.intersection((one.partition, one.offset) for one in scored)
    seen = len(aborted(stage.bootstrap, service.sink, scored).intersection(reader.seen))
    crashes = sum(failed) + sum(map(bool, exits))
    yield Finding(
        "zombies",
        f"exactly once, 2 replicas, {rounds} x SIGSTOP of one between send and commit for "
        f"{stopped_s:.1f} s ({SESSIONS} sessions), then SIGCONT",
        f"accepted {len(accepted)}/{len(begun)} records that a zombie had begun, "
        f"{counts(verdict)}, aborted seen {seen}, crashes {crashes}/{rounds}",
        "accepted 0, duplicated 0, lost 0, aborted seen 0, crashes 0",
        not accepted and is_clean(verdict) and not seen and not crashes,
    )


def _round(service: Service, zombie: Worker, other: Worker, stopped_s: float) -> set[Place]:
    """Stops a worker for so long; where the records stand that it had begun."""
    until(lambda: len(owned(zombie)) == len(owned(other)) == PARTITIONS / 2, PATIENCE_S)
    mine = owned(zombie)
    begun: set[Place] = set()
    while not begun:
        zombie.signal(signal.SIGCONT)
        until(lambda: open_places(service, mine), PATIENCE_S)
        zombie.signal(signal.SIGSTOP)
        began_s = time.monotonic()
        hold_until(began_s + ARRIVED_S)
        begun = open_places(service, mine)
    hold_until(began_s + stopped_s)
    zombie.signal(signal.SIGCONT)
    return begun
