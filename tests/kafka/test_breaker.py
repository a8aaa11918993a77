"""The circuit breaker: a broken model does not push a whole topic to the dead letters."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.kafka.client import Record, committed, produce
from tests.kafka.metrics import total
from tests.kafka.service import MODEL, SCORE, Service, make_service
from tests.kafka.site import Site, states, variant
from tests.kafka.verdict import START_MS, Verdict, events, judge
from tests.kafka.waiting import until
from tests.kafka.worker import Worker

pytestmark = pytest.mark.long

N, MIN_EVENTS = 2_000, 100
INDEX = {
    "id": "index",
    "type": "ONNXNode",
    "params": {"model": "index.onnx", "features": ["f0"], "outputs": {"y": "Y"}},
}
"""Breaks where the feature is 2 or more; `events` have none of these."""
SHIFTED = {**INDEX, "params": {**INDEX["params"], "features": ["shifted"]}}
SHIFT = {
    "id": "shift",
    "type": "Arithmetic",
    "params": {"left": "f0", "op": "+", "right": 5, "into": "shifted"},
}
BROKEN = [SCORE, SHIFT, SHIFTED]
"""Breaks on every event."""
GUARANTEES = pytest.mark.parametrize("guarantee", ["at_least_once", "exactly_once"])
REST = {"RTML_BREAKER_COOLDOWN_MS": "600000"}
"""No probe comes during the test."""
REASON = "events broke in the graph, the last by ModelFailed at node 'index'"


def make(bootstrap: str, folder: Path, nodes: list[dict[str, Any]], **rest: Any) -> Service:
    """A service that writes the score, whatever other nodes do."""
    shutil.copy(MODEL.with_name("index.onnx"), folder)
    return make_service(bootstrap, folder, nodes=nodes, sink={"fields": ["score"]}, **rest)


def opened(worker: Worker) -> list[dict[str, Any]]:
    """What was logged when the breaker opened."""
    return worker.log_events("breaker_open")


def tripped(worker: Worker, service: Service) -> Callable[[], bool]:
    """Whether a worker says of a service that no events flow, by every way to ask."""

    def look() -> bool:
        try:
            ready, told = worker.get("/health/ready")
        except OSError:  # it is being started
            return False
        assert worker.get("/health/live")[0] == 200
        found = json.loads(worker.get("/services")[1])["services"]
        words = [(one["state"], REASON in one["problem"]) for one in found]
        gauge = total(worker.get("/metrics")[1], "rtml_breaker_open", service=service.name)
        return (ready, REASON in told, words, gauge) == (503, True, [("tripped", True)], 1)

    return look


def resume(worker: Worker, service: Service) -> int:
    """``POST /services/ID/resume``, its status."""
    url = f"http://127.0.0.1:{worker.http_port}/services/{service.name}/resume"
    with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=30) as answer:
        return int(answer.status)


@GUARANTEES
def test_a_model_that_breaks_on_everything(kafka: str, tmp_path: Path, guarantee: str) -> None:
    """Less than the minimum are dead letters, the rest waits: for a resume, or another graph."""
    service = make(kafka, tmp_path, BROKEN, guarantee=guarantee)
    sent = events(N)
    produce(kafka, service.source, sent)
    with service.worker(environment=REST) as worker:
        until(tripped(worker, service))
        letters = len(service.dead_letters())
        assert 0 < letters < MIN_EVENTS
        assert resume(worker, service) == 200
        until(lambda: len(opened(worker)) == 2)
        until(tripped(worker, service))
        assert len(worker.log_events("partitions_assigned")) == 1
        assert [one["level"] for one in opened(worker)] == ["error"] * 2
        assert worker.terminate() == 0
    dead = service.dead_letters()
    assert letters <= len(dead) < 2 * MIN_EVENTS
    assert sum(committed(kafka, service.group, service.source).values()) == len(dead) or (
        guarantee == "exactly_once"  # whose markers have offsets as well
    )
    service.graph.write_text(variant(service, "sound", nodes=[SCORE]).read_text())
    with service.worker() as worker:
        service.settled()
        assert worker.terminate() == 0
    assert judge(sent, service.scored(), dead) == Verdict(N, 0, 0, 0, 0)
    assert len(service.dead_letters()) == len(dead)


@GUARANTEES
def test_an_update_lets_events_flow(kafka: str, tmp_path: Path, guarantee: str) -> None:
    """The list says that it tripped and why; a resume trips again; a sound version loses none."""
    service = make(kafka, tmp_path, BROKEN, guarantee=guarantee)
    sound = variant(service, "sound", nodes=[SCORE])
    sent = events(N)
    produce(kafka, service.source, sent)
    with Site(kafka, tmp_path) as site:
        worker = site.worker(environment=REST)
        site.publish(service)
        until(tripped(worker, service))
        until(lambda: states(site.list()[0]) == ["tripped"])
        assert "1 tripped" in site.rtml("list").out
        assert REASON in " ".join(site.rtml("show", service.name).out.split())
        assert site.rtml("deprecate", service.name).code == 0
        until(lambda: states(site.list()[0]) == ["tripped"])
        assert len(opened(worker)) == 1
        site.rtml("resume", service.name)
        until(lambda: len(opened(worker)) == 2)
        until(lambda: states(site.list()[0]) == ["tripped"])
        assert site.update(service, sound).problem == ""
        service.settled()
        assert states(site.list()[0]) == ["serving"]
        worker.wait_ready()
        assert len(worker.log_events("partitions_assigned")) == 1
        assert worker.log_events("breaker_closed")[-1]["by"] == "update"
    dead = service.dead_letters()
    assert judge(sent, service.scored(), dead) == Verdict(N, 0, 0, 0, 0)
    assert len(dead) < 2 * MIN_EVENTS


def test_a_worker_that_joins_meanwhile(kafka: str, tmp_path: Path) -> None:
    """It gets its share from the one that reads nothing, and trips by itself; none is lost."""
    service = make(kafka, tmp_path, BROKEN, guarantee="exactly_once")
    sent = events(N)
    produce(kafka, service.source, sent)
    with Site(kafka, tmp_path) as site:
        first = site.worker(environment=REST)
        site.publish(service)
        until(tripped(first, service))
        second = site.start(environment=REST)
        until(tripped(second, service), timeout_s=180)
        until(lambda: states(site.list()[0]) == ["tripped"] * 2)
        for worker in (first, second):
            starts = worker.log_events("partitions_assigned")[-1]["start_offsets"]
            assert len(starts) == 2
        assert tripped(first, service)()
        assert site.update(service, variant(service, "sound", nodes=[SCORE])).problem == ""
        service.settled()
    dead = service.dead_letters()
    assert judge(sent, service.scored(), dead) == Verdict(N, 0, 0, 0, 0)
    assert len(dead) < 2 * MIN_EVENTS


@GUARANTEES
def test_a_probe_lets_events_flow(kafka: str, tmp_path: Path, guarantee: str) -> None:
    """Where the next events are scored well the service goes on by itself: none lost, in order."""
    service = make(kafka, tmp_path, [SCORE, INDEX], guarantee=guarantee, partitions=1)
    poison = [
        Record(b'{"seq": -%d, "f0": 9, "f1": 0}' % i, b"k", timestamp_ms=START_MS)
        for i in range(1, 23)
    ]
    limits = {"RTML_BREAKER_MIN_EVENTS": "20", "RTML_BREAKER_COOLDOWN_MS": "200"}
    produce(kafka, service.source, poison)
    with service.worker(environment=limits) as worker:
        until(lambda: worker.log_events("breaker_probe_failed"))
        assert tripped(worker, service)()
        good = events(1_000)
        produce(kafka, service.source, good)
        service.settled()
        worker.wait_ready()
        assert [one["by"] for one in worker.log_events("breaker_closed")] == ["probe"]
        assert len(opened(worker)) == len(worker.log_events("partitions_assigned")) == 1
        assert worker.terminate() == 0
    dead = service.dead_letters()
    assert judge([*poison, *good], service.scored(), dead) == Verdict(1_022, 0, 0, 0, 0)
    assert {one.value for one in dead} == {one.value for one in poison}


def test_events_that_are_to_blame_themselves(kafka: str, tmp_path: Path) -> None:
    """A tenth of a topic is no JSON, and the breaker opens at 1 %: it never does."""
    service = make(kafka, tmp_path, [SCORE, INDEX])
    sent = events(N)
    for place in range(0, N, 10):
        bad = b"no json %d" % place
        sent[place] = Record(bad, sent[place].key, timestamp_ms=sent[place].timestamp_ms)
    produce(kafka, service.source, sent)
    with service.worker(environment={"RTML_BREAKER_FAILURE_PERCENT": "1"}) as worker:
        service.settled()
        assert opened(worker) == []
        assert worker.terminate() == 0
    dead = service.dead_letters()
    assert judge(sent, service.scored(), dead) == Verdict(N, 0, 0, 0, 0)
    assert len(dead) == N // 10
