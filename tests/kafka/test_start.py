"""Where a worker begins to read, and when it does not begin at all."""

from __future__ import annotations

import datetime
import socket
import time
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from tests.kafka.client import Record, committed, create_topic, end_offsets, produce
from tests.kafka.service import Service, make_service
from tests.kafka.verdict import START_MS, Verdict, events, judge
from tests.kafka.waiting import until
from tests.net import free_ports

N = 400


def topics(kafka: str) -> dict[str, int]:
    """Every topic and its number of partitions."""
    found = AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=10).topics
    return {name: len(topic.partitions) for name, topic in found.items()}


def test_missing_topics_are_refused_all_at_once(kafka: str, tmp_path: Path) -> None:
    """Exit 2; each topic that is missing is named, with the commands that make it; none is made."""
    service = make_service(kafka, tmp_path, create=False)
    create_topic(kafka, service.sink)
    with service.worker() as worker:
        assert worker.wait() == 2
    told = worker.log.read_text()
    for topic in (service.source, service.dead):
        assert f"topic '{topic}' does not exist" in " ".join(told.split())
    assert f"'{service.sink}'" not in told
    assert "rtml topics create" in told
    assert "--create-topics" in told
    assert not {service.source, service.dead} & topics(kafka).keys()


def test_missing_topics_are_made_on_request(kafka: str, tmp_path: Path) -> None:
    """With --create-topics they are there, with the partitions asked for, and served."""
    service = make_service(kafka, tmp_path, create=False)
    with service.worker("--create-topics", "--partitions", "3") as worker:
        worker.wait_ready()
        names = (service.source, service.sink, service.dead)
        assert {name: topics(kafka).get(name) for name in names} == dict.fromkeys(names, 3)
        produce(kafka, service.source, events(N))
        service.settled()
    assert judge(events(N), service.scored()) == Verdict(N, 0, 0, 0, 0)


def test_kafka_that_stays_away_ends_the_worker(tmp_path: Path) -> None:
    """After --wait seconds: exit 3, and the last words name the address."""
    (port,) = free_ports(1)
    address = f"127.0.0.1:{port}"
    service = make_service(address, tmp_path, create=False)
    unknown = {"RTML_BROKER": "elsewhere:9092"}
    with service.worker("--wait", "1", environment=unknown) as worker:
        assert worker.wait() == 3
    (warned,) = worker.log_events("unknown_setting")
    assert "did you mean 'RTML_BROKERS'?" in warned["detail"]
    assert worker.log_events("waiting_for_kafka")
    last = " ".join(worker.log.read_text().splitlines()[-3:])
    assert f"cannot reach Kafka at {address}" in last


def test_sigterm_ends_the_waiting(tmp_path: Path) -> None:
    """A worker that waits for Kafka has nothing to drain: exit 0 within seconds."""
    (port,) = free_ports(1)
    service = make_service(f"127.0.0.1:{port}", tmp_path, create=False)
    with service.worker() as worker:
        until(lambda: worker.log_events("waiting_for_kafka"))
        assert worker.terminate(timeout_s=5.0) == 0


def test_bad_settings_are_refused_before_anything_starts(tmp_path: Path) -> None:
    """Exit 2; every variable that is wrong is named, and no port was opened."""
    service = make_service("127.0.0.1:1", tmp_path, create=False)
    wrong = {"RTML_COMMIT_INTERVAL_MS": "soon", "RTML_MAX_BATCH_EVENTS": "0"}
    with service.worker(environment=wrong) as worker:
        assert worker.wait() == 2
    assert all(name in worker.log.read_text() for name in wrong)
    assert worker.log_events("http_listening") == []


def committed_all(service: Service) -> bool:
    """Whether the group has an offset for every partition."""
    done = committed(service.bootstrap, service.group, service.source)
    return done.keys() == end_offsets(service.bootstrap, service.source).keys()


@pytest.mark.long
def test_latest_begins_at_the_end_and_then_loses_nothing(kafka: str, tmp_path: Path) -> None:
    """A new group skips what was there; what comes while the worker is away is scored later."""
    service = make_service(kafka, tmp_path, source={"start": "latest"})
    produce(kafka, service.source, events(N))
    # A member that is known by name takes its partitions back at once after a crash.
    settings = {"RTML_GROUP_INSTANCE_ID": "one"}
    with service.worker(environment=settings) as worker:
        until(lambda: committed_all(service))
        worker.kill()
    later = events(N, start=N)
    produce(kafka, service.source, later)
    with service.worker(environment=settings):
        service.settled()
    assert judge(later, service.scored()) == Verdict(N, 0, 0, 0, 0)


@pytest.mark.parametrize("partitions", [1, 8])
def test_earliest_begins_at_the_beginning(kafka: str, tmp_path: Path, partitions: int) -> None:
    """A group without committed offsets scores everything that is there."""
    service = make_service(kafka, tmp_path, partitions=partitions)
    produce(kafka, service.source, events(N))
    with service.worker():
        service.settled()
    assert judge(events(N), service.scored()) == Verdict(N, 0, 0, 0, 0)


def test_a_time_begins_at_its_first_event(kafka: str, tmp_path: Path) -> None:
    """A new group begins with the first event of that time; an empty partition at its end."""
    begin = 150
    moment = datetime.datetime.fromtimestamp((START_MS + begin) / 1_000, datetime.UTC)
    service = make_service(kafka, tmp_path, source={"start": moment.isoformat()})
    produce(
        kafka, service.source, [Record(one.value, b"k", [], one.timestamp_ms) for one in events(N)]
    )
    with service.worker() as worker:
        until(lambda: sum(end_offsets(kafka, service.sink).values()) >= N - begin)
        until(lambda: committed_all(service))
        assert worker.terminate() == 0
    sent = [Record(one.value, b"k", [], one.timestamp_ms) for one in events(N - begin, start=begin)]
    assert judge(sent, service.scored()) == Verdict(N - begin, 0, 0, 0, 0)


def test_a_host_that_accepts_and_says_nothing_ends_the_wait(tmp_path: Path) -> None:
    """--wait is a bound on every step: exit 3 although a connection stands."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        service = make_service(address, tmp_path, create=False)
        with service.worker("--wait", "1") as worker:
            until(lambda: worker.log_events("http_listening"))  # loading it is not what is bound
            begin_s = time.monotonic()
            assert worker.wait() == 3
        assert time.monotonic() - begin_s < 20
    assert f"cannot reach Kafka at {address}" in " ".join(worker.log.read_text().split())
