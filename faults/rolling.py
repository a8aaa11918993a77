"""Rolling restarts: each replica is replaced by a new one, under load."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from faults.finding import Finding, counts, is_clean
from faults.payload import check, events
from faults.stage import GUARANTEES, PARTITIONS, PATIENCE_S, Stage
from tests.kafka.amid import owned
from tests.kafka.feeder import Feeder
from tests.kafka.reading import Reader
from tests.kafka.waiting import until

PER_S, ROUND_S = 1_000, 240
DRAIN_S = 30.0


def run(stage: Stage) -> Iterator[Finding]:
    """One for each guarantee."""
    for guarantee in GUARANTEES:
        yield _rolled(stage, guarantee, stage.size(5, 2))


def _rolled(stage: Stage, guarantee: str, restarts: int) -> Finding:
    per_s = stage.pace(PER_S)
    service, sent = stage.service(guarantee=guarantee), events(per_s * ROUND_S * restarts)
    start = service.worker
    stopped = []
    with ExitStack() as stack:
        reader = stack.enter_context(Reader(stage.bootstrap, service.sink, PARTITIONS))
        replicas = [stack.enter_context(start()) for _ in range(2)]
        until(lambda: all(map(owned, replicas)), PATIENCE_S)
        with Feeder(stage.bootstrap, service.source, sent, per_s) as feed:
            for count in range(restarts):
                stage.say(f"{guarantee}, {count} of {restarts} restarts")
                replicas.append(stack.enter_context(start()))
                until(partial(owned, replicas[-1]), PATIENCE_S)
                stopped.append(replicas.pop(0))
                stopped[-1].terminate()
            feed.stop()
        service.settled(timeout_s=PATIENCE_S)
        stopped += replicas
        exits = [one.terminate() for one in stopped]
        drains = [one.log_events("worker_stopped")[0]["drain_s"] for one in stopped]
        scored = service.scored()
    verdict = check(sent[: feed.sent], scored)
    bad = sum(map(bool, exits))
    return Finding(
        "rolling",
        f"{guarantee.replace('_', ' ')}, {per_s:,} events/s, 2 replicas, {restarts} x a new one "
        "and SIGTERM to the oldest",
        f"{counts(verdict)}, exits other than 0: {bad}/{len(exits)}, longest drain "
        f"{max(drains):.1f} s, longest stall of a partition {reader.stall_s():.1f} s",
        f"lost 0, duplicated 0, exits 0, drain <= {DRAIN_S:g} s",
        is_clean(verdict) and not bad and max(drains) <= DRAIN_S,
    )
