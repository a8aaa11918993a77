"""SIGKILL again and again: one of two replicas, under load, while a reader follows the sink."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from faults.finding import Finding, counts, is_clean
from faults.payload import check, events
from faults.stage import GUARANTEES, PARTITIONS, PATIENCE_S, Stage
from tests.kafka.amid import amid_transactions, batched, owned
from tests.kafka.client import Stored
from tests.kafka.feeder import Feeder
from tests.kafka.reading import Reader, aborted
from tests.kafka.waiting import until

PER_S = 800
BATCH, IN_FLIGHT_BATCHES = 100, 6
COMMIT_S = 0.3
WINDOW = IN_FLIGHT_BATCHES * BATCH + int(PER_S * COMMIT_S)
"""Events that a kill repeats at most: those in flight, and those acknowledged in an interval."""
TERMS = {
    "at_least_once": {"RTML_MAX_BATCH_EVENTS": str(BATCH), "RTML_COMMIT_INTERVAL_MS": "300"},
    # Each batch is full, so that transactions last: a kill finds records of those that are open.
    "exactly_once": {"RTML_MAX_BATCH_EVENTS": "1", "RTML_COMMIT_INTERVAL_MS": "500"},
}


def run(stage: Stage) -> Iterator[Finding]:
    """One loop for each guarantee."""
    for guarantee in GUARANTEES:
        yield _loop(stage, guarantee, stage.size(30_000, 4_000), stage.size(10, 2))


def _loop(stage: Stage, guarantee: str, n: int, kills: int) -> Finding:
    exact = guarantee == "exactly_once"
    service, sent, draw = stage.service(guarantee=guarantee), events(n), stage.draw("kills")
    start = partial(service.worker, environment={**stage.short_session, **TERMS[guarantee]})
    with ExitStack() as stack:
        reader = stack.enter_context(Reader(stage.bootstrap, service.sink, PARTITIONS))
        replicas = [stack.enter_context(start()) for _ in range(2)]
        for count, chunk in enumerate(batched(sent, n // (kills + 1))):
            stage.say(f"{guarantee}, {count} of {kills} kills")
            until(lambda: all(map(owned, replicas)), PATIENCE_S)
            with Feeder(stage.bootstrap, service.source, chunk, stage.pace(PER_S)) as feed:
                feed.wait_sent(draw.randrange(len(chunk) // 10, len(chunk) // 3), PATIENCE_S)
                if count == kills:
                    break
                victim = draw.randrange(2)
                if exact:
                    until(partial(amid_transactions, service, replicas[victim]), PATIENCE_S)
                replicas[victim].kill()
                replicas[victim] = stack.enter_context(start())
        service.settled(timeout_s=PATIENCE_S)
        scored = service.scored()
        until(lambda: len(reader.seen) >= len(scored), PATIENCE_S)
    verdict = check(sent, scored)
    back = aborted(stage.bootstrap, service.sink, scored)
    seen = len(back.intersection(reader.seen))
    copies = unequal_copies(scored)
    bound = 0 if exact else kills * WINDOW
    told = [counts(verdict), f"{len(back):,} records aborted, of them seen {seen}"]
    if not exact:
        told[1] = f"copies that differ {copies}"
    return Finding(
        "kills",
        f"{guarantee.replace('_', ' ')}, 2 replicas, {kills} x SIGKILL of one at random",
        ", ".join(told),
        "lost 0, duplicated 0, aborted seen 0, reordered 0"
        if exact
        else f"lost 0, reordered 0, duplicated <= {kills} x {WINDOW} in flight, byte-equal",
        is_clean(verdict, bound) and seen == 0 and copies == 0,
    )


def unequal_copies(scored: list[Stored]) -> int:
    """Events whose records are not all equal to the byte, headers included."""
    found = defaultdict(set)
    for one in scored:
        found[one.key, one.timestamp_ms].add((one.value, tuple(one.headers)))
    return sum(len(copies) > 1 for copies in found.values())
