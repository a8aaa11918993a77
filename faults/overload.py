"""Overload: for a minute or more, twice as many events come as the worker can score."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil

from faults.finding import Finding, counts, is_clean
from faults.payload import check, events
from faults.stage import PATIENCE_S, Stage, hold_until
from tests.kafka.amid import owned
from tests.kafka.client import committed, end_offsets, produce
from tests.kafka.feeder import Feeder
from tests.kafka.service import Service
from tests.kafka.waiting import until

TIMES = 2
SAMPLE_S = 0.5
GROWTH_MB = 200.0
WARM_MS = 500
TERMS = {"RTML_MAX_BATCH_EVENTS": "1"}
"""One event at a time: so slow that a producer in Python is more than enough."""


def run(stage: Stage) -> Iterator[Finding]:
    """First what the worker can do, then twice as much."""
    stage.say("measuring what the worker can do")
    rate = _capacity(stage, stage.size(4_000, 2_000))
    seconds = stage.size(90, 10)
    service, sent = stage.service(), events(TIMES * rate * seconds)
    with service.worker(environment={**stage.short_session, **TERMS}) as worker:
        until(lambda: owned(worker), PATIENCE_S)
        process = psutil.Process(worker.process.pid)
        rss_mb, waiting = [process.memory_info().rss / 1e6], 0
        with Feeder(stage.bootstrap, service.source, sent, TIMES * rate) as feed:
            while feed.sent < len(sent):
                hold_until(time.monotonic() + SAMPLE_S)
                rss_mb.append(process.memory_info().rss / 1e6)
                waiting = max(waiting, _waiting(service))
                stage.say(f"{waiting:,} events wait, {rss_mb[-1]:.0f} MB")
        service.settled(timeout_s=PATIENCE_S)
        rebalances = len(worker.log_events("partitions_assigned")) - 1
        code = worker.terminate()
    verdict = check(sent, service.scored())
    grown_mb = max(rss_mb) - rss_mb[0]
    yield Finding(
        "overload",
        f"{TIMES * rate:,} events/s for {seconds} s, twice the {rate:,} that it scores one by one",
        f"{counts(verdict)}, {waiting:,} waited at most, RSS {rss_mb[0]:.0f} MB, at most "
        f"{grown_mb:+.0f} MB, rebalances {rebalances}, exit {code}",
        f"lost 0, duplicated 0, RSS <= +{GROWTH_MB:g} MB, rebalances 0, exit 0",
        is_clean(verdict) and grown_mb <= GROWTH_MB and not rebalances and code == 0,
    )


def _capacity(stage: Stage, n: int) -> int:
    """Events per second, told by the broker's own times."""
    service = stage.service(sink_config={"message.timestamp.type": "LogAppendTime"})
    produce(stage.bootstrap, service.source, events(n))
    with service.worker(environment=TERMS):
        service.settled(timeout_s=PATIENCE_S)
    stamps = sorted(one.timestamp_ms or 0 for one in service.scored())
    late = [one for one in stamps if one > stamps[0] + WARM_MS]
    return max(100, int(len(late) * 1_000 / max(1, stamps[-1] - stamps[0] - WARM_MS)))


def _waiting(service: Service) -> int:
    """Events that are not committed."""
    done = committed(service.bootstrap, service.group, service.source)
    return sum(end_offsets(service.bootstrap, service.source).values()) - sum(done.values())
