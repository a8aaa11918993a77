"""Acknowledgements that are late or lost: what is not acknowledged is not committed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker import Listener, RealKafka
from tests.kafka.client import committed, end_offsets, produce
from tests.kafka.conftest import jar_kafka
from tests.kafka.metrics import total
from tests.kafka.proxy import ProduceProxy
from tests.kafka.service import Service, make_service
from tests.kafka.verdict import Verdict, events, judge
from tests.kafka.waiting import until
from tests.kafka.worker import Worker

N = 2_000
BATCH, IN_FLIGHT_BATCHES = 50, 6
SETTINGS = {"RTML_GROUP_INSTANCE_ID": "one", "RTML_MAX_BATCH_EVENTS": str(BATCH)}


@pytest.fixture(scope="module")
def broker_and_proxy() -> Iterator[tuple[RealKafka, ProduceProxy]]:
    """A Kafka that a worker reaches through a proxy, and the witness without it."""
    proxy = ProduceProxy()
    listener = Listener("PROXIED", advertised_port=proxy.port)
    with jar_kafka(listeners=[listener]) as broker:
        proxy.start(broker.address("PROXIED"))
        with proxy:
            yield broker, proxy


def filled(broker: RealKafka, folder: Path) -> Service:
    """A service with events to score."""
    service = make_service(broker.bootstrap, folder)
    produce(broker.bootstrap, service.source, events(N))
    return service


def through(service: Service, proxy: ProduceProxy) -> Worker:
    """A worker that reaches Kafka through the proxy."""
    return service.worker(environment=SETTINGS, bootstrap=proxy.address)


def told(worker: Worker) -> str:
    """The reasons why the worker is not ready."""
    return " ".join(json.loads(worker.get("/health/ready")[1])["reasons"])


def begun(worker: Worker) -> bool:
    """Whether the worker has its partitions."""
    return bool(worker.log_events("partitions_assigned"))


@pytest.mark.long
def test_nothing_is_committed_that_kafka_has_not_acknowledged(
    broker_and_proxy: tuple[RealKafka, ProduceProxy], tmp_path: Path
) -> None:
    """While nothing is produced nothing is committed, little is taken, and readiness tells why.

    The worker is killed in that state; the next one scores every event, once.
    """
    broker, proxy = broker_and_proxy
    service = filled(broker, tmp_path)
    proxy.hold()
    with through(service, proxy) as worker:
        until(lambda: begun(worker))
        until(lambda: "no acknowledgement from Kafka" in told(worker))
        in_flight = total(worker.get("/metrics")[1], "rtml_in_flight_events")
        done = committed(broker.bootstrap, service.group, service.source)
        worker.kill()
    proxy.reset()
    proxy.release()
    written = sum(end_offsets(broker.bootstrap, service.sink).values())
    print(f"{in_flight:.0f} of {N} events in flight, {written} written, committed {done}")
    assert 0 < in_flight <= IN_FLIGHT_BATCHES * BATCH
    assert sum(done.values()) == 0
    with through(service, proxy):
        service.settled()
    assert judge(events(N), service.scored()) == Verdict(N, 0, 0, 0, 0)


@pytest.mark.long
def test_a_drain_that_kafka_does_not_let_end(
    broker_and_proxy: tuple[RealKafka, ProduceProxy], tmp_path: Path
) -> None:
    """Exit 3, and an ERROR with the number of events that the next worker scores again."""
    broker, proxy = broker_and_proxy
    service = filled(broker, tmp_path)
    proxy.hold()
    hurry = {**SETTINGS, "RTML_DRAIN_TIMEOUT_MS": "500"}
    address = f"127.0.0.1:{proxy.port}"
    with service.worker(environment=hurry, bootstrap=address) as worker:
        until(lambda: begun(worker))
        until(lambda: total(worker.get("/metrics")[1], "rtml_in_flight_events"))
        code = worker.terminate()
        (told,) = worker.log_events("drain_unfinished")
    proxy.reset()
    proxy.release()
    left = told["uncommitted_events"][service.name]
    assert (code, told["level"], 0 < left <= IN_FLIGHT_BATCHES * BATCH) == (3, "error", True)
    assert f"Kafka has not taken {left} events in flight" in worker.log.read_text()
    with through(service, proxy):
        service.settled()
    assert judge(events(N), service.scored()) == Verdict(N, 0, 0, 0, 0)


def test_a_lost_acknowledgement_repeats_nothing(
    broker_and_proxy: tuple[RealKafka, ProduceProxy], tmp_path: Path
) -> None:
    """Records that Kafka stored, but whose answer got lost, are sent again and stored once."""
    broker, proxy = broker_and_proxy
    service = filled(broker, tmp_path)
    proxy.forget_answers(True)
    before = proxy.forgotten
    with through(service, proxy) as worker:
        until(lambda: proxy.forgotten > before)
        proxy.forget_answers(False)
        proxy.reset()
        service.settled()
        assert worker.terminate() == 0
    stored = sum(end_offsets(broker.bootstrap, service.sink).values())
    print(f"{proxy.forgotten - before} answers lost, {stored} records stored")
    assert judge(events(N), service.scored()) == Verdict(N, 0, 0, 0, 0)


@pytest.mark.long
def test_stored_but_not_acknowledged_is_all_that_a_kill_repeats(
    broker_and_proxy: tuple[RealKafka, ProduceProxy], tmp_path: Path
) -> None:
    """Killed before the answers came, a worker has at most its window stored twice, equal bytes."""
    broker, proxy = broker_and_proxy
    service = filled(broker, tmp_path)
    proxy.forget_answers(True)
    before = proxy.forgotten
    with through(service, proxy) as worker:
        until(lambda: proxy.forgotten > before)
        worker.kill()
    proxy.reset()
    proxy.forget_answers(False)
    with through(service, proxy):
        service.settled()
    verdict = judge(events(N), service.scored())
    assert (verdict.lost, verdict.reordered, verdict.altered) == (0, 0, 0)
    assert 0 < verdict.duplicated <= IN_FLIGHT_BATCHES * BATCH
