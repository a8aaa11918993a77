"""Many services: how soon they serve, that none is lost, and that deleted ones leave nothing."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.broker import RealKafka
from tests.kafka.client import produce
from tests.kafka.conftest import jar_kafka
from tests.kafka.service import make_service
from tests.kafka.site import WAIT_S, Site, states
from tests.kafka.verdict import Verdict, events, judge
from tests.kafka.waiting import until
from tests.kafka.worker import Worker
from worker.services import deploy
from worker.services.journal import Journal

TIMED, MANY, CYCLES, WARM_UP = 20, 100, 30, 5
COPY = [{"id": "copy", "type": "Arithmetic", "params": {"left": "f0", "op": "+", "right": "f1",
         "into": "score"}}]  # fmt: skip
GROWTH_BYTES = 30_000_000


@pytest.fixture(scope="module")
def broker() -> Iterator[RealKafka]:
    """A Kafka whose registry holds only what these tests publish."""
    with jar_kafka() as own:
        yield own


@pytest.mark.alone
def test_publish_to_serving(broker: RealKafka, tmp_path: Path) -> None:
    """From the call to the report of the worker below 1 s in the median, of a graph with a model.

    Kafka lets a new group wait for `group.initial.rebalance.delay.ms`, here 0; that comes on top.
    """
    service = make_service(broker.bootstrap, tmp_path)
    with Site(broker.bootstrap, tmp_path) as site:
        site.worker()
        spec, plan = site.document(service.graph)

        async def publish(journal: Journal) -> list[float]:
            took_s = []
            for _ in range(TIMED):
                began_s = time.perf_counter()
                outcome = await deploy.publish(
                    journal, spec, plan, location=site.name, wait_s=WAIT_S
                )
                took_s.append(time.perf_counter() - began_s)
                assert outcome.problem == ""
            return took_s

        took_s = site.ask(publish)
    median_s = statistics.median(took_s)
    print(f"publish to serving: median {median_s:.3f} s, at most {max(took_s):.3f} s of {TIMED}")
    assert median_s < 1


@pytest.mark.long
def test_a_hundred_publishes_in_a_row(broker: RealKafka, tmp_path: Path) -> None:
    """Nobody waits in between: all are listed, all serve, and all score what comes."""
    service = make_service(broker.bootstrap, tmp_path, partitions=1, nodes=COPY)
    with Site(broker.bootstrap, tmp_path) as site:
        site.worker()
        spec, plan = site.document(service.graph)

        async def publish(journal: Journal) -> float:
            began_s = time.perf_counter()
            for number in range(MANY):
                await deploy.publish(
                    journal,
                    spec,
                    plan,
                    location=site.name,
                    service_id=f"{service.name}-{number}",
                    wait_s=0,
                )
            wrote_s = time.perf_counter() - began_s
            found = await journal.until(lambda: all_serve(journal, site.name), 60)
            print(f"{MANY} published in {wrote_s:.1f} s, all serve after")
            assert found, [one.problem for one in deploy.listed(journal, site.name)]
            return time.perf_counter() - began_s

        print(f"{site.ask(publish):.1f} s")
        assert len(site.list()) == MANY
        produce(broker.bootstrap, service.source, events(10))
        until(lambda: len(service.scored()) == 10 * MANY)


def all_serve(journal: Journal, location: str) -> bool | None:
    """Whether every service is served; None if not, as `Journal.until` wants it."""
    listed = deploy.listed(journal, location)
    return True if len(listed) == MANY and all(one.reached for one in listed) else None


def resources(worker: Worker, label: str) -> tuple[int, int, int, int]:
    """Threads, open files, resident bytes and metrics that name a service of a worker."""
    process = psutil.Process(worker.process.pid)
    metrics = worker.get("/metrics")[1].count(f'service="{label}')
    return process.num_threads(), process.num_fds(), process.memory_info().rss, metrics


@pytest.mark.long
def test_services_that_come_and_go(broker: RealKafka, tmp_path: Path) -> None:
    """Thirty published, served and deleted leave no thread, file, metric or memory behind."""
    service = make_service(broker.bootstrap, tmp_path)
    with Site(broker.bootstrap, tmp_path) as site:
        worker = site.worker()
        spec, plan = site.document(service.graph)
        found: list[tuple[int, int, int, int]] = []

        async def cycle(journal: Journal) -> None:
            for number in range(WARM_UP + CYCLES):
                if number == WARM_UP:
                    found.append(await asyncio.to_thread(resources, worker, service.name))
                given = {"location": site.name, "service_id": f"{service.name}-{number}"}
                outcome = await deploy.publish(journal, spec, plan, **given, wait_s=WAIT_S)
                assert outcome.problem == ""
                id_ = outcome.service.id
                assert (await deploy.delete(journal, id_, wait_s=WAIT_S)).reached

        site.ask(cycle)
        found.append(resources(worker, service.name))
        assert site.publish(service).problem == ""
        produce(broker.bootstrap, service.source, events(100))
        service.settled()
        assert judge(events(100), service.scored()[-100:]) == Verdict(100, 0, 0, 0, 0)
        assert [states(one) for one in site.list()] == [["serving"]]
    (threads, files, bytes_, lines), (more_threads, more_files, more_bytes, more_lines) = found
    print(
        f"threads {threads} -> {more_threads}, files {files} -> {more_files}, "
        f"MB {bytes_ / 1e6:.0f} -> {more_bytes / 1e6:.0f}, metrics {lines} -> {more_lines}"
    )
    assert more_threads <= threads + 2
    assert more_files <= files + 5
    assert more_bytes < bytes_ + GROWTH_BYTES
    assert (lines, more_lines) == (0, 0)
