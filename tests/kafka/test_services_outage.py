"""Kafka away while a worker follows its location."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker import RealKafka
from tests.kafka.conftest import jar_kafka
from tests.kafka.feeder import Feeder
from tests.kafka.service import make_service
from tests.kafka.site import Site, states
from tests.kafka.verdict import events, judge
from tests.kafka.waiting import until

pytestmark = pytest.mark.long

AWAY_S = 20.0


@pytest.fixture
def broker() -> Iterator[RealKafka]:
    """A Kafka that this test stops and starts."""
    with jar_kafka() as own:
        yield own


@pytest.mark.parametrize("away_s", [0.0, AWAY_S], ids=["restart", "away"])
def test_kafka_restarts(broker: RealKafka, tmp_path: Path, away_s: float) -> None:
    """The worker lives, goes on where it was, and takes new services and changes; 0 lost."""
    service, later = (make_service(broker.bootstrap, tmp_path) for _ in range(2))
    sent = events(4_000)
    with Site(broker.bootstrap, tmp_path) as site:
        worker = site.worker()
        assert site.publish(service).problem == ""
        with Feeder(broker.bootstrap, service.source, sent, per_s=2_000) as feed:
            feed.wait_sent(1_000)
            broker.stop()
            begin_s = time.monotonic()
            until(lambda: time.monotonic() - begin_s >= away_s)
            broker.start()
        until(lambda: worker.get("/health/ready")[0] == 200, 60)
        until(lambda: [states(one) for one in site.list()] == [["serving"]], 60)
        assert site.publish(later).problem == ""
        assert site.update(service).problem == ""
        service.settled(timeout_s=60)
        assert worker.process.poll() is None
        assert worker.terminate() == 0
    verdict = judge(sent, service.scored())
    assert (verdict.lost, verdict.reordered, verdict.altered) == (0, 0, 0)


def test_sigterm_while_kafka_is_away(broker: RealKafka, tmp_path: Path) -> None:
    """It ends within its bound, exit 0, though nobody hears its goodbye."""
    service = make_service(broker.bootstrap, tmp_path)
    with Site(broker.bootstrap, tmp_path) as site:
        worker = site.worker(environment={"RTML_DRAIN_TIMEOUT_MS": "2000"})
        assert site.publish(service).problem == ""
        broker.kill()
        begin_s = time.monotonic()
        code = worker.terminate()
        took_s = time.monotonic() - begin_s
        broker.start()
    assert code == 0, worker.log.read_text()[-3_000:]
    assert took_s < 20
