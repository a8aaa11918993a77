"""Several workers at a location: who is waited for, who takes over, who joins later."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path

import pytest

from tests.kafka.client import Record, produce
from tests.kafka.configure import configure_topic
from tests.kafka.feeder import Feeder
from tests.kafka.service import make_service
from tests.kafka.site import Site, states
from tests.kafka.verdict import Verdict, events, judge
from tests.kafka.waiting import until
from worker.services import deploy
from worker.services.outcome import outcome_of

# A member that is killed keeps its partitions for so long: the least that Kafka allows.
QUICK = {"RTML_SESSION_TIMEOUT_MS": "6000"}


@pytest.mark.long
def test_a_location_without_a_worker(kafka: str, tmp_path: Path) -> None:
    """Registered, exit 1 unless nobody waits; a worker that joins serves it from the topics."""
    one, two = (make_service(kafka, tmp_path) for _ in range(2))
    with Site(kafka, tmp_path) as site:
        done = site.rtml("publish", one.graph, "--id", one.name)
        assert (done.code, done.out) == (1, f"{one.name} version 1\n")
        assert "registered, but no worker serves location" in done.err
        assert site.rtml("publish", two.graph, "--id", two.name, "--no-wait").code == 0
        assert site.rtml("update", two.name, two.graph, "--no-wait").code == 0
        for service in (one, two):
            produce(kafka, service.source, events(100))
            service.graph.unlink()
        (tmp_path / "lr.onnx").unlink()
        site.worker()
        for service in (one, two):
            service.settled()
            assert judge(events(100), service.scored()) == Verdict(100, 0, 0, 0, 0)
        assert [states(outcome) for outcome in site.list()] == [["serving"], ["serving"]]


@pytest.mark.long
def test_two_workers(kafka: str, tmp_path: Path) -> None:
    """Publish waits for both, but not for a killed one once it is silent; a new one serves all."""
    service, later = (make_service(kafka, tmp_path) for _ in range(2))
    sent = events(4_000)
    with Site(kafka, tmp_path) as site:
        first, second = (site.worker(environment=QUICK) for _ in range(2))
        outcome = site.publish(service)
        assert (outcome.problem, states(outcome)) == ("", ["serving", "serving"])
        with Feeder(kafka, service.source, sent, per_s=2_000) as feed:
            feed.wait_sent(1_000)
            first.kill()
        outcome = site.publish(later, wait_s=30)
        assert (outcome.problem, states(outcome)) == ("", ["serving"])
        service.settled(timeout_s=60)
        verdict = judge(sent, service.scored())
        assert (verdict.lost, verdict.reordered, verdict.altered) == (0, 0, 0)
        third = site.worker(environment=QUICK)
        until(lambda: [states(one) for one in site.list()] == [["serving"] * 2] * 2)
        assert second.terminate() == third.terminate() == 0
        assert [one.workers for one in site.list()] == [[], []]


@pytest.mark.long
def test_a_worker_that_cannot(kafka: str, tmp_path: Path) -> None:
    """Of two workers one does not reach the model store: publish says which and why."""
    service = make_service(kafka, tmp_path)
    with Site(kafka, tmp_path) as site:
        site.worker()
        site.worker(environment={"RTML_MODEL_STORE": str(tmp_path / "elsewhere")})
        done = site.rtml("publish", service.graph, "--id", service.name)
        assert done.code == 1
        assert "nodes[0].params.model: " in done.err
        listed = json.loads(site.rtml("show", service.name, "-o", "json").out)
        found = sorted(worker["state"] for worker in listed["workers"])
        assert found in (["failed"], ["failed", "serving"])
        until(lambda: sorted(states(site.list()[0])) == ["failed", "serving"])


@pytest.mark.long
def test_a_store_that_comes_back(kafka: str, tmp_path: Path) -> None:
    """A service whose model is damaged in the store is tried again until it can be read."""
    service = make_service(kafka, tmp_path)
    with Site(kafka, tmp_path) as site:
        site.publish(service, wait_s=0)
        (blob,) = site.store_url.glob("blobs/*/*.onnx")
        whole = blob.with_name("kept")
        shutil.move(blob, whole)
        blob.write_bytes(b"damaged")
        worker = site.start()
        until(lambda: len(worker.log_events("service_not_served")) >= 2)
        assert worker.get("/health/ready")[0] == 503
        shutil.move(whole, blob)
        until(lambda: [states(one) for one in site.list()] == [["serving"]])
        pauses = [event["again_s"] for event in worker.log_events("service_not_served")]
        assert pauses == [1.0, 2.0, 5.0, 10.0][: len(pauses)]


@pytest.mark.long
def test_a_service_that_breaks(kafka: str, tmp_path: Path) -> None:
    """Stopped by its own events it says why, is tried again with pauses, and harms no other."""
    good = make_service(kafka, tmp_path)
    bad = make_service(kafka, tmp_path, dead_config={"max.message.bytes": "200"})
    with Site(kafka, tmp_path) as site:
        worker = site.worker()
        for service in (good, bad):
            assert site.publish(service).problem == ""
        produce(kafka, bad.source, [Record(b"no json", b"k"), *events(10)])
        until(lambda: len(worker.log_events("service_not_served")) >= 2)
        produce(kafka, good.source, events(100))
        good.settled()
        reason = f"max.message.bytes of '{bad.dead}' is 200"
        until(lambda: reason in "".join(one.problem for one in site.list()))
        until(lambda: reason in worker.get("/health/ready")[1])
        configure_topic(kafka, bad.dead, "max.message.bytes", "1000000")
        bad.settled(timeout_s=40)
        until(lambda: worker.get("/health/ready")[0] == 200)
        pauses = [event["again_s"] for event in worker.log_events("service_not_served")]
    assert pauses == [1.0, 2.0, 5.0, 10.0][: len(pauses)]
    assert judge(events(100), good.scored()) == Verdict(100, 0, 0, 0, 0)
    assert [len({one.value for one in bad.scored()}), len(bad.dead_letters())] == [10, 1]


@pytest.mark.parametrize("signal", ["terminate", "kill"])
@pytest.mark.long
def test_a_worker_restarts(kafka: str, tmp_path: Path, signal: str) -> None:
    """Stopped or killed and started again, it serves all services again: 0 lost."""
    services = [make_service(kafka, tmp_path) for _ in range(3)]
    sent = events(3_000)
    with Site(kafka, tmp_path) as site:
        worker = site.worker(environment=QUICK)
        for service in services:
            assert site.publish(service).problem == ""
        with Feeder(kafka, services[0].source, sent, per_s=1_500) as feed:
            feed.wait_sent(1_000)
            getattr(worker, signal)()
            site.worker(environment=QUICK)
        for service in services:
            look = partial(outcome_of, service_id=service.name)
            until(lambda look=look: site.ask(lambda j: reached(j, look)))
        services[0].settled(timeout_s=60)
    verdict = judge(sent, services[0].scored())
    assert (verdict.lost, verdict.reordered, verdict.altered) == (0, 0, 0)
    assert verdict.duplicated == 0 or signal == "kill"


async def reached(journal: deploy.Journal, look: partial[deploy.Outcome]) -> bool:
    """Whether some worker serves it."""
    return "serving" in states(look(journal))
