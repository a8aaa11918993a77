"""A storm of rebalances: every few seconds a replica joins or leaves, under load."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from faults.finding import Finding, counts, is_clean
from faults.payload import check, events
from faults.stage import GUARANTEES, PARTITIONS, PATIENCE_S, Stage, hold_until, stretched
from tests.kafka.amid import owned
from tests.kafka.feeder import Feeder
from tests.kafka.reading import Reader
from tests.kafka.waiting import until
from tests.kafka.worker import Worker

PER_S = 500
EVERY_S = 3.0
STALL_S = 15.0
MOST = 3
"""Replicas beside the one that stays."""


def run(stage: Stage) -> Iterator[Finding]:
    """One storm for each guarantee."""
    for guarantee in GUARANTEES:
        yield _storm(stage, guarantee, stage.size(60, 12))


def _storm(stage: Stage, guarantee: str, seconds: int) -> Finding:
    service, draw = stage.service(guarantee=guarantee), stage.draw("storm")
    per_s = stage.pace(PER_S)
    sent = events(per_s * seconds)
    exact = guarantee == "exactly_once"
    changes = 0
    with ExitStack() as stack:
        reader = stack.enter_context(Reader(stage.bootstrap, service.sink, PARTITIONS))
        stays = stack.enter_context(service.worker())
        stays.wait_ready(PATIENCE_S)
        others: list[Worker] = []
        leaving: list[Worker] = []
        with Feeder(stage.bootstrap, service.source, sent, per_s) as feed:
            began_s = time.monotonic()
            while feed.sent < len(sent):
                stage.say(f"{guarantee}, {len(others) + 1} replicas, {changes} changes")
                if not others or (len(others) < MOST and draw.random() < 0.5):
                    others.append(stack.enter_context(service.worker()))
                else:
                    until(partial(owned, others[0]), PATIENCE_S)  # a start has no handler yet
                    leaving.append(others.pop(0))
                    leaving[-1].process.terminate()
                changes += 1
                hold_until(began_s + changes * EVERY_S)
        service.settled(timeout_s=PATIENCE_S)
        exits = [one.wait(PATIENCE_S) for one in leaving] + [
            one.terminate() for one in [stays, *others]
        ]
        scored = service.scored()
    verdict = check(sent, scored)
    stall_s = reader.stall_s()
    most_s, told = stretched(STALL_S)
    bad = sum(map(bool, exits))
    return Finding(
        "storm",
        f"{guarantee.replace('_', ' ')}, {per_s} events/s for {seconds} s, every {EVERY_S:g} s a "
        f"replica joins or leaves by SIGTERM: {changes} changes",
        f"{counts(verdict)}, longest stall of a partition {stall_s:.1f} s, exits other than 0: "
        f"{bad}/{len(exits)}",
        f"lost 0, {'duplicated 0, ' if exact else ''}longest stall <= {told}, exits 0",
        is_clean(verdict, 0 if exact else len(sent)) and stall_s <= most_s and not bad,
    )
