"""SIGINT, as Ctrl-C sends it: it drains like SIGTERM, and a second one does not wait."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.broker import RealKafka
from tests.kafka.client import end_offsets
from tests.kafka.feeder import Feeder
from tests.kafka.service import make_service
from tests.kafka.verdict import Verdict, events, judge
from tests.kafka.waiting import until


@pytest.mark.long
def test_sigint_drains(kafka: str, tmp_path: Path) -> None:
    """Under load: exit 130, and the next worker repeats nothing and misses nothing."""
    service = make_service(kafka, tmp_path)
    sent = events(5_000)
    with service.worker() as worker:
        worker.wait_ready()
        with Feeder(kafka, service.source, sent, per_s=2_500):
            until(lambda: sum(end_offsets(kafka, service.sink).values()) >= 1_000)
            worker.signal(signal.SIGINT)
            assert worker.wait() == 130
    (stopped,) = worker.log_events("worker_stopped")
    with service.worker() as worker:
        service.settled()
        assert worker.terminate() == 0
    print(f"drained in {stopped['drain_s']} s")
    assert judge(sent, service.scored()) == Verdict(len(sent), 0, 0, 0, 0)


@pytest.mark.alone
@pytest.mark.long
def test_a_second_sigint_ends_at_once(own_kafka: RealKafka, tmp_path: Path) -> None:
    """While a drain waits for a Kafka that is gone: exit 130 within a second, nothing is lost."""
    service = make_service(own_kafka.bootstrap, tmp_path)
    sent = events(4_000)
    settings = {"RTML_GROUP_INSTANCE_ID": "one"}
    with service.worker(environment=settings) as worker:
        worker.wait_ready()
        with Feeder(own_kafka.bootstrap, service.source, sent, 2_000) as feed:
            feed.wait_sent(1_000)
            own_kafka.kill()
            worker.signal(signal.SIGINT)
            until(lambda: worker.log_events("stopping"))
            assert worker.process.poll() is None
            begin_s = time.monotonic()
            worker.signal(signal.SIGINT)
            code = worker.wait()
            took_s = time.monotonic() - begin_s
            own_kafka.start()
    with service.worker(environment=settings):
        service.settled()
    verdict = judge(sent, service.scored())
    print(f"ended after {took_s:.2f} s")
    assert (code, worker.log_events("worker_stopped")) == (130, [])
    assert "interrupted again" in worker.log.read_text()
    assert took_s < 1
    assert (verdict.lost, verdict.reordered, verdict.altered) == (0, 0, 0)
