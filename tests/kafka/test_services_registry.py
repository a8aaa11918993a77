"""The topics themselves: several writers at once, and records that nobody can read."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.broker import RealKafka
from tests.kafka.client import Record, produce
from tests.kafka.conftest import jar_kafka
from tests.kafka.service import make_service
from tests.kafka.site import WAIT_S, Site, states
from tests.kafka.waiting import until
from worker.services import deploy
from worker.services.journal import Journal
from worker.services.records import REGISTRY_TOPIC, STATUS_TOPIC

WRITERS = 8


@pytest.fixture(scope="module")
def broker() -> Iterator[RealKafka]:
    """A Kafka whose registry only these tests write to."""
    with jar_kafka() as own:
        yield own


@pytest.mark.long
def test_updates_at_once(
    broker: RealKafka, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Eight clients update one service at the same time: eight versions more, each its own."""
    service = make_service(broker.bootstrap, tmp_path)
    with Site(broker.bootstrap, tmp_path) as site:
        site.worker()
        assert site.publish(service).problem == ""
        spec, plan = site.document(service.graph)

        async def run() -> list[int]:
            async with AsyncExitStack() as stack:
                journals = [
                    await stack.enter_async_context(Journal(site.settings, WAIT_S))
                    for _ in range(WRITERS)
                ]
                await asyncio.gather(
                    *(
                        deploy.update(journal, service.name, spec, plan, wait_s=WAIT_S)
                        for journal in journals
                    )
                )
                await journals[0].catch_up(None)
                _, versions = deploy.shown(journals[0], service.name)
                return [version.number for version in versions]

        versions = asyncio.run(run())
        gc.collect()
        assert [one for one in caplog.records if one.name == "asyncio"] == []
        assert versions == list(range(1, WRITERS + 2))
        (mine,) = site.list()
        assert (mine.service.version, states(mine)) == (WRITERS + 1, ["serving"])


def test_different_services_at_once(broker: RealKafka, tmp_path: Path) -> None:
    """Writers of different services do not hold each other up, and each sees what it wrote."""
    service = make_service(broker.bootstrap, tmp_path)
    with Site(broker.bootstrap, tmp_path) as site:
        spec, plan = site.document(service.graph)

        async def write(number: int) -> list[int]:
            name = f"{service.name}-{number}"
            async with Journal(site.settings, WAIT_S) as journal:
                await deploy.publish(
                    journal, spec, plan, location=site.name, service_id=name, wait_s=0
                )
                for _ in range(4):
                    await deploy.update(journal, name, spec, plan, wait_s=0)
                return [version.number for version in deploy.shown(journal, name)[1]]

        async def run() -> list[list[int]]:
            return await asyncio.gather(*map(write, range(4)))

        assert asyncio.run(run()) == [[1, 2, 3, 4, 5]] * 4


@pytest.mark.long
def test_records_that_cannot_be_read(broker: RealKafka, tmp_path: Path) -> None:
    """Reported by the list and by the worker, and skipped; the others are served."""
    good, bad = (make_service(broker.bootstrap, tmp_path) for _ in range(2))
    junk = [
        Record(b"\xff\x00junk", b"broken"),
        Record(b"{}", good.name.encode() + b"/v7"),
        Record(b'{"service": "x"}', b"\xfe\xfd"),
    ]
    with Site(broker.bootstrap, tmp_path) as site:
        site.publish(bad, wait_s=0)
        produce(broker.bootstrap, REGISTRY_TOPIC, junk)
        produce(broker.bootstrap, STATUS_TOPIC, junk)
        version = Record(b"junk", f"{bad.name}/v1".encode())
        produce(broker.bootstrap, REGISTRY_TOPIC, [version])
        worker = site.worker()
        outcome = site.publish(good)
        assert outcome.service.version == 8  # not that of a record, readable or not
        assert (outcome.problem, states(outcome)) == ("", ["serving"])
        done = site.rtml("list")
        assert "record 'broken' cannot be read: " in done.err
        assert f"record '{good.name}/v7' cannot be read: " in done.err
        assert site.rtml("show", "broken").code == 2
        until(lambda: len(worker.log_events("registry_record_unreadable")) >= 4)
        keys = {event["key"] for event in worker.log_events("registry_record_unreadable")}
        assert keys >= {"broken", f"{good.name}/v7", f"{bad.name}/v1"}
        done = site.rtml("update", good.name, good.graph)
        assert done.out == f"{good.name} version 9\n"
        for name in ("broken", good.name, bad.name):
            assert site.rtml("delete", name).code == 0
        assert "broken" not in site.rtml("list").err
