"""Kafka away: at the start, for a moment, and killed for longer, under load."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.broker import RealKafka
from tests.kafka.conftest import jar_kafka
from tests.kafka.feeder import Feeder
from tests.kafka.liveness import Liveness, ready
from tests.kafka.service import make_service
from tests.kafka.verdict import Verdict, events, judge
from tests.kafka.waiting import until
from worker.settings import Settings
from worker.stream.tools.process import stop_timeout_s

AWAY_S = 15.0
NOTICED_S = 15.0
BACK_S = 30.0
GROWTH_BYTES = 50_000_000


@pytest.fixture(scope="module")
def broker() -> Iterator[RealKafka]:
    """A Kafka that these tests stop and start; no other test uses it."""
    with jar_kafka() as own:
        yield own


def test_the_worker_waits_for_kafka_at_the_start(broker: RealKafka, tmp_path: Path) -> None:
    """Without Kafka it lives, is not ready and says why; it serves once Kafka comes up."""
    service = make_service(broker.bootstrap, tmp_path)
    broker.stop()
    with service.worker() as worker, Liveness(worker) as liveness:
        until(lambda: worker.log_events("waiting_for_kafka"))
        status, reasons = ready(worker)
        assert status == 503
        assert f"cannot reach Kafka at {broker.bootstrap}" in reasons[0]
        broker.start()
        worker.wait_ready()
        with Feeder(broker.bootstrap, service.source, events(500), per_s=1_000):
            pass
        service.settled()
        assert worker.terminate() == 0
    assert judge(events(500), service.scored()) == Verdict(500, 0, 0, 0, 0)
    assert liveness.asked > 0


@pytest.mark.long
def test_sigterm_while_kafka_is_away(broker: RealKafka, tmp_path: Path) -> None:
    """It ends within its bound; what it could not finish is told, and scored by the next one."""
    service = make_service(broker.bootstrap, tmp_path)
    sent = events(4_000)
    settings = {"RTML_DRAIN_TIMEOUT_MS": "2000", "RTML_GROUP_INSTANCE_ID": "one"}
    with service.worker(environment=settings) as worker:
        worker.wait_ready()
        with Feeder(broker.bootstrap, service.source, sent, 2_000) as feed:
            feed.wait_sent(1_000)
            broker.kill()
            begin_s = time.monotonic()
            code = worker.terminate()
            took_s = time.monotonic() - begin_s
            broker.start()
    with service.worker(environment=settings):
        service.settled()
    verdict = judge(sent, service.scored())
    print(f"ended with {code} after {took_s:.1f} s")
    assert (verdict.lost, verdict.reordered, verdict.altered) == (0, 0, 0)
    expected = 3 if worker.log_events("drain_unfinished") else 0
    assert code == expected, worker.log.read_text()[-3_000:]
    assert took_s < 10


@pytest.mark.long
@pytest.mark.parametrize("guarantee", ["at_least_once", "exactly_once"])
def test_sigterm_while_kafka_is_silent(broker: RealKafka, tmp_path: Path, guarantee: str) -> None:
    """A broker that takes requests and answers none: the stop keeps its bounds all the same."""
    service = make_service(broker.bootstrap, tmp_path, guarantee=guarantee)
    sent = events(4_000)
    settings = {"RTML_DRAIN_TIMEOUT_MS": "2000", "RTML_GROUP_INSTANCE_ID": "one"}
    assert broker.pid is not None
    with service.worker(environment=settings) as worker:
        worker.wait_ready()
        with Feeder(broker.bootstrap, service.source, sent, 2_000) as feed:
            feed.wait_sent(1_000)
            os.kill(broker.pid, signal.SIGSTOP)
            try:
                begin_s = time.monotonic()
                code = worker.terminate()
                took_s = time.monotonic() - begin_s
            finally:
                os.kill(broker.pid, signal.SIGCONT)
    with service.worker(environment=settings):
        service.settled()
    verdict = judge(sent, service.scored())
    print(f"ended with {code} after {took_s:.1f} s")
    assert (verdict.lost, verdict.reordered, verdict.altered) == (0, 0, 0)
    assert guarantee == "at_least_once" or verdict.duplicated == 0
    assert code == (3 if worker.log_events("drain_unfinished") else 0)
    assert took_s < stop_timeout_s(Settings(drain_timeout_ms=2_000))


@pytest.mark.parametrize(
    ("end", "away_s"),
    [
        pytest.param(RealKafka.stop, 0.0, id="restart"),
        pytest.param(RealKafka.kill, AWAY_S, id="killed", marks=pytest.mark.long),
    ],
)
def test_a_broker_that_goes_away_costs_nothing(
    broker: RealKafka, tmp_path: Path, end: Callable[[RealKafka], None], away_s: float
) -> None:
    """Nothing is lost and the worker lives; readiness tells the outage in time, and its end."""
    service = make_service(broker.bootstrap, tmp_path)
    sent = events(8_000)
    with service.worker() as worker:
        worker.wait_ready()
        process = psutil.Process(worker.process.pid)
        with (
            Liveness(worker) as liveness,
            Feeder(broker.bootstrap, service.source, sent, 2_000) as feed,
        ):
            feed.wait_sent(2_000)
            before_bytes = process.memory_info().rss
            end(broker)
            begin_s = time.monotonic()
            noticed_s, reasons = None, []
            if away_s:
                noticed_s = until(lambda: ready(worker)[0] == 503, NOTICED_S)
                reasons = ready(worker)[1]
                until(lambda: time.monotonic() - begin_s >= away_s)
            broker.start()
            back_s = until(lambda: ready(worker)[0] == 200, BACK_S)
        service.settled(timeout_s=BACK_S)
        grown_bytes = process.memory_info().rss - before_bytes
        assert worker.terminate() == 0
    verdict = judge(sent, service.scored())
    print(
        f"not ready after {noticed_s} s because {reasons}, ready {back_s:.1f} s after the broker, "
        f"{grown_bytes / 1e6:.0f} MB more, {liveness.asked} times asked for liveness"
    )
    assert (verdict.lost, verdict.reordered, verdict.altered) == (0, 0, 0)
    assert (liveness.failed, liveness.asked > 0) == (0, True)
    assert grown_bytes < GROWTH_BYTES
    if away_s:
        assert any("Kafka has not answered" in reason for reason in reasons)
