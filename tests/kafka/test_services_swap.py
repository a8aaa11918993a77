"""Updates under load: from one batch to the next, every score by the model that is stamped."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import pytest

from tests.kafka.feeder import Feeder
from tests.kafka.metrics import total
from tests.kafka.service import MODEL, make_service
from tests.kafka.site import Site, other_model, variant, with_model
from tests.kafka.verdict import Verdict, events, judge
from worker.services import deploy
from worker.services.journal import Journal

N, PER_S, UPDATES = 50_000, 5_000, 10


@pytest.mark.alone
@pytest.mark.parametrize(
    "guarantee", ["at_least_once", pytest.param("exactly_once", marks=pytest.mark.long)]
)
def test_updates_under_load(kafka: str, tmp_path: Path, guarantee: str) -> None:
    """Ten updates under 5,000 events a second: 0 lost, repeated, reordered, or falsely stamped."""
    service = make_service(kafka, tmp_path, guarantee=guarantee)
    model = other_model(tmp_path)
    sent = events(N)
    with Site(kafka, tmp_path) as site:
        site.worker()
        assert site.publish(service).problem == ""
        other = with_model(service, model)
        # Compressed, so that now and then the producer does not fit either and is replaced.
        packed = variant(service, "packed", sink={"topic": service.sink, "compression": "gzip"})
        made = [site.document(graph) for graph in (other, service.graph, packed)]

        async def update(journal: Journal) -> None:
            for count, one in enumerate(islice(cycle(made), UPDATES), 1):
                await asyncio.to_thread(feed.wait_sent, count * N // (UPDATES + 1))
                began_s = time.perf_counter()
                outcome = await deploy.update(journal, service.name, *one, wait_s=30)
                assert outcome.problem == ""
                took_s.append(time.perf_counter() - began_s)
                within.append(feed.sent < N)

        took_s: list[float] = []
        within: list[bool] = []
        with Feeder(kafka, service.source, sent, PER_S) as feed:
            site.ask(update)
        service.settled(timeout_s=60)
    scored = service.scored()
    stamps = {record.header("rtml-model") for record in scored}
    graphs = {record.header("rtml-graph") for record in scored}
    verdict = judge(sent, scored, models=[MODEL, model])
    print(f"{sum(within)} updates fell in the load; each took {max(took_s):.2f} s at most")
    assert verdict == Verdict(N, 0, 0, 0, 0)
    assert (len(stamps), len(graphs)) == (2, 3)
    assert sum(within) > UPDATES // 2


@pytest.mark.long
def test_an_update_to_the_other_guarantee(kafka: str, tmp_path: Path) -> None:
    """Under load, to exactly once and back, with a pause: 0 lost, repeated or reordered."""
    service = make_service(kafka, tmp_path)
    sent = events(8_000)
    exact = variant(service, "exact", delivery={"guarantee": "exactly_once"})
    with Site(kafka, tmp_path) as site:
        worker = site.worker()
        assert site.publish(service).problem == ""
        with Feeder(kafka, service.source, sent, 1_000) as feed:
            feed.wait_sent(1_000)
            assert site.update(service, exact).problem == ""
            feed.wait_sent(3_000)
            assert site.rtml("pause", service.name).code == 0
            assert site.rtml("resume", service.name).code == 0
            feed.wait_sent(5_000)
            assert site.update(service).problem == ""
        service.settled()
        page = worker.get("/metrics")[1]
    assert total(page, "rtml_transactions_total", outcome="committed") > 0
    assert judge(sent, service.scored()) == Verdict(len(sent), 0, 0, 0, 0)


@pytest.mark.long
def test_an_update_that_fails_under_load(kafka: str, tmp_path: Path) -> None:
    """Updates that fail in between change nothing: all is scored, by the version before."""
    service = make_service(kafka, tmp_path)
    sent = events(10_000)
    with Site(kafka, tmp_path) as site:
        site.worker()
        assert site.publish(service).problem == ""
        nowhere = site.document(variant(service, "nowhere", sink={"topic": "nowhere"}))
        good = site.document(service.graph)

        async def update(journal: Journal) -> list[bool]:
            change = partial(deploy.update, journal, service.name, wait_s=30)
            return [(await change(*made)).reached for made in (nowhere, good) * 3]

        with Feeder(kafka, service.source, sent, PER_S):
            reached = site.ask(update)
        service.settled(timeout_s=60)
    assert reached == [False, True] * 3
    assert judge(sent, service.scored()) == Verdict(10_000, 0, 0, 0, 0)
