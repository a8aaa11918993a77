"""One service at a location with one worker: published, changed, paused, deleted."""

from __future__ import annotations

import json
import re
import shutil
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.cli.conftest import Done
from tests.kafka.client import committed, create_topic, produce, read_all
from tests.kafka.feeder import Feeder
from tests.kafka.metrics import samples
from tests.kafka.service import MODEL, SCORE, Service, make_service
from tests.kafka.site import WAIT_S, Site, other_model, states, variant, with_model
from tests.kafka.verdict import Verdict, events, judge
from tests.kafka.waiting import until
from tests.kafka.worker import Worker
from worker.services import deploy
from worker.services.journal import Journal
from worker.services.outcome import Outcome
from worker.services.records import Version


@pytest.fixture(scope="module")
def site(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A location that the tests of this module share."""
    with Site(kafka, tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def worker(site: Site) -> Worker:
    """Its worker."""
    return site.worker()


@pytest.fixture
def service(site: Site, worker: Worker, tmp_path: Path) -> Service:
    """A service that is served."""
    assert worker.process.poll() is None
    service = make_service(site.bootstrap, tmp_path)
    assert site.publish(service).problem == ""
    return service


def serving(outcome: Outcome) -> list[int | None]:
    """The versions that its workers serve."""
    return [status.serving for status in outcome.statuses]


def test_a_service_from_its_publication_to_its_end(
    site: Site, worker: Worker, tmp_path: Path
) -> None:
    """The commands say what they did, exit 0, and list what `rtml.md` lists."""
    service = make_service(site.bootstrap, tmp_path)
    graph, name = service.graph, service.name
    done = site.rtml("publish", graph, "--id", name)
    assert (done.code, done.out) == (0, f"{name} version 1\n"), done.err
    assert done.err == "served by 1 worker\n"
    produce(site.bootstrap, service.source, events(100))
    service.settled()
    assert judge(events(100), service.scored()) == Verdict(100, 0, 0, 0, 0)
    listed = site.rtml("list", "--location", site.name, "-o", "json").json
    (mine,) = [one for one in listed if one["id"] == name]
    assert (mine["name"], mine["type"], mine["location"]) == (name, "edge", site.name)
    assert (mine["version"], mine["wanted"], mine["deprecated"]) == (1, "running", False)
    assert [one["state"] for one in mine["workers"]] == ["serving"]
    assert mine["created"] == mine["updated"]
    assert mine["url"] == f"http://127.0.0.1:{worker.http_port}/services/{name}/score"
    assert site.rtml("update", name, graph).err == "served by 1 worker\n"
    shown = site.rtml("show", name, "-o", "json").json
    assert [one["version"] for one in shown["versions"]] == [1, 2]
    assert shown["versions"][1]["models"] == shown["versions"][0]["models"]
    for command, told in (
        (("rollback", name), "served by 1 worker\n"),
        (("pause", name), "paused by 1 worker\n"),
        (("resume", name), "served by 1 worker\n"),
        (("delete", name), "drained by 1 worker\n"),
    ):
        done = site.rtml(*command)
        assert (done.code, done.err) == (0, told)
    assert name not in site.rtml("list").out


def test_a_notebook_s_graph(site: Site, worker: Worker, tmp_path: Path) -> None:
    """Published without topics it gets those of its id; an update of the same kind keeps them."""
    assert worker.process.poll() is None
    name = f"bare-{uuid.uuid4().hex[:8]}"
    shutil.copy(MODEL, tmp_path)
    path = tmp_path / "graph.json"
    path.write_text(json.dumps({"nodes": [SCORE], "edges": []}))
    done = site.rtml("publish", path, "--id", name, "--create-topics")
    assert done.code == 0, done.err
    assert done.err.startswith(f"events: {name}-events (f0, f1), scored: {name}-scored\n")
    produce(site.bootstrap, f"{name}-events", events(10))
    until(lambda: len(read_all(site.bootstrap, f"{name}-scored")) == 10)
    path.write_text(json.dumps({"nodes": [{**SCORE, "id": "other"}], "edges": []}))
    assert site.rtml("update", name, path).code == 0
    version = site.ask(partial(newest, name))
    assert (version.number, version.graph["source"]["topic"]) == (2, f"{name}-events")
    assert [node["id"] for node in version.graph["nodes"]] == ["other"]


async def newest(name: str, journal: Journal) -> Version:
    """The version that is wanted of a service."""
    return journal.registry.version(journal.registry.find(name))


def test_unknown_ids(site: Site, service: Service) -> None:
    """Exit 2 and the nearest id, whatever is to be done with it."""
    mistyped = service.name[:-1]
    for command in (["show", mistyped], ["delete", mistyped], ["update", mistyped, service.graph]):
        done = site.rtml(*command)
        assert (done.code, done.out) == (2, "")
        assert f"there is no such service; did you mean '{service.name}'?" in done.err
    done = site.rtml("rollback", service.name, "--version", "9")
    assert (done.code, done.out) == (2, "")
    assert "version 9 does not exist; versions: 1" in done.err


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("sink", "topic 'nowhere' does not exist"),
        ("source", "topic 'nowhere' does not exist"),
        ("model", r"nodes\[0\].params.model: '.*-score@2' was deleted; it has: 1"),
    ],
)
def test_a_failing_update_leaves_the_old_version(
    site: Site, worker: Worker, service: Service, kind: str, reason: str
) -> None:
    """``update`` exits 1 with the reason; the version before is served on, nothing is lost."""
    graph = {
        "sink": lambda: variant(service, "sink", sink={"topic": "nowhere"}),
        "source": lambda: variant(
            service, "source", source={"topic": "nowhere", "schema": {"type": "object",
            "properties": {"f0": {"type": "number"}, "f1": {"type": "number"}}}},
        ),
        "model": lambda: with_model(service, other_model(service.graph.parent, factor=3.0)),
    }[kind]()  # fmt: skip
    sent = events(3_000)
    with Feeder(site.bootstrap, service.source, sent, per_s=3_000):
        if kind == "model":
            # The store loses the model between the publisher's check and the workers' reading.
            spec, plan = site.document(graph)
            for name in plan.models:
                site.store.delete(name)
            work = partial(deploy.update, service_id=service.name, spec=spec, plan=plan)
            outcome = site.ask(lambda journal: work(journal, wait_s=WAIT_S))
            problem = outcome.problem
        else:
            done = site.rtml("update", service.name, graph)
            assert (done.code, done.out) == (1, f"{service.name} version 2\n")
            problem = done.err
    assert re.search(reason, problem), problem
    service.settled()
    assert judge(sent, service.scored()) == Verdict(3_000, 0, 0, 0, 0)
    (mine,) = [one for one in site.list() if one.service.id == service.name]
    assert (mine.service.version, states(mine), serving(mine)) == (2, ["failed"], [1])
    until(lambda: worker.get("/health/ready")[0] == 200)
    assert failed(worker, service) == [1.0]
    assert re.search(reason, problems_served(worker)[service.name])
    assert "1 failed (version 1 serving)" in site.rtml("list").out
    assert worker.log_events("service_not_served")[-1]["serving"] == 1
    assert site.rtml("rollback", service.name).code == 0
    assert (failed(worker, service), problems_served(worker)[service.name]) == ([0.0], "")


def failed(worker: Worker, service: Service) -> list[float]:
    """What the metric says of a service."""
    page = worker.get("/metrics")[1]
    return samples(page, "rtml_service_failed", service=service.name)


def problems_served(worker: Worker) -> dict[str, str]:
    """What ``GET /services`` says is wrong, by the service's id."""
    listed = json.loads(worker.get("/services")[1])["services"]
    return {one["id"]: one["problem"] for one in listed}


def test_a_graph_that_its_model_does_not_fit(site: Site, service: Service) -> None:
    """Refused before anything is written: exit 2, and there is no new version."""
    params = {**SCORE["params"], "features": ["f0"]}
    graph = variant(service, "inputs", nodes=[{**SCORE, "params": params}])
    done = site.rtml("update", service.name, graph)
    assert (done.code, done.out) == (2, "")
    print(done.err)
    assert "nodes[0].params" in done.err
    assert len(site.ask(partial(shown, id_=service.name))) == 1


async def shown(journal: deploy.Journal, id_: str) -> list[int]:
    """The versions of a service."""
    return [version.number for version in deploy.shown(journal, id_)[1]]


@pytest.mark.long
def test_rollback_to_any_earlier_version(site: Site, service: Service) -> None:
    """Four versions; each of them is served again, and its model stamps what it scores."""
    other = with_model(service, other_model(service.graph.parent))
    for graph in (other, service.graph, other):
        assert site.update(service, graph).problem == ""
    stamped = []
    for count, number in enumerate((1, 2, 3, None), 1):
        back = partial(deploy.rollback, service_id=service.name, number=number)
        assert site.ask(lambda journal, go=back: go(journal, wait_s=WAIT_S)).problem == ""
        produce(site.bootstrap, service.source, events(10, start=count * 10))
        service.settled()
        latest = {r.header("rtml-model") for r in service.scored()} - set(stamped)
        stamped += latest
        expected = {1: 1, 2: 2, 3: 1, None: 2}[number]
        seqs = range(count * 10, count * 10 + 10)
        models = {
            (record.header("rtml-model") or b"").partition(b":")[0]
            for record in service.scored()
            if json.loads(record.value or b"")["seq"] in seqs
        }
        assert models == {b"%s-score@%d" % (service.name.encode(), expected)}


def test_events_by_command(site: Site, service: Service, tmp_path: Path) -> None:
    """An event, or several in a list or one a line; exit 1 where one of them is rejected."""
    path = tmp_path / "events.json"

    def score(text: str, id_: str = service.name) -> Done:
        path.write_text(text)
        return site.rtml("score", id_, path)

    event = '{"f0": 1, "f1": 2}'
    done = score(event)
    assert (done.code, done.json["status"], done.err) == (0, "scored", "")
    assert score(f"[{event}]").json == [done.json]
    assert score(f"{event}\n\n{event}\n").json == [done.json, done.json]
    done = score(f'{event}\n{{"f0": "x"}}\n')
    assert [one["status"] for one in done.json] == ["scored", "rejected"]
    assert (done.code, done.err) == (1, "1 event of 2 rejected\n")
    done = score("{")
    assert (done.code, done.out, "the body is not JSON" in done.err) == (1, "", True)
    done = score(event, service.name[:-1])
    assert (done.code, f"did you mean '{service.name}'?" in done.err) == (2, True)
    assert site.rtml("pause", service.name).code == 0
    done = score(event)
    why = f"no worker scores '{service.name}' now: it is paused; rtml service resume {service.name}"
    assert (done.code, done.err) == (3, f"rtml: {why}\n")


def test_pause_and_resume(site: Site, service: Service) -> None:
    """Under load: paused it scores nothing, resumed it goes on where it was; 0 lost, 0 twice."""
    sent = events(6_000)
    want = partial(deploy.want, service_id=service.name, wait_s=WAIT_S)
    with Feeder(site.bootstrap, service.source, sent, per_s=3_000) as feed:
        feed.wait_sent(1_000)
        assert site.ask(lambda journal: want(journal, wanted="paused")).problem == ""
        at = committed(site.bootstrap, service.group, service.source)
        scored = len(service.scored())
        assert sum(at.values()) == scored > 0
        feed.wait_sent(5_000)
        assert len(service.scored()) == scored
        assert site.ask(lambda journal: want(journal, wanted="running")).problem == ""
    service.settled()
    assert judge(sent, service.scored()) == Verdict(6_000, 0, 0, 0, 0)


def test_a_deprecated_service_is_served(site: Site, service: Service) -> None:
    """It is listed with its mark until that is taken away."""
    for options, mark in (((), True), (("--undo",), False)):
        assert site.rtml("deprecate", service.name, *options).code == 0
        until(lambda: site.rtml("show", service.name, "-o", "json").json["deprecated"] is mark)  # noqa: B023 - at once
        assert ("deprecated, " in site.rtml("list").out) is mark
    produce(site.bootstrap, service.source, events(50))
    service.settled()
    assert judge(events(50), service.scored()) == Verdict(50, 0, 0, 0, 0)


def test_delete_drains_and_keeps_offsets(site: Site, worker: Worker, service: Service) -> None:
    """What was in flight is committed; published again under the id it goes on from there."""
    sent = events(6_000)
    with Feeder(site.bootstrap, service.source, sent, per_s=3_000) as feed:
        feed.wait_sent(1_000)
        done = site.ask(partial(deploy.delete, service_id=service.name, wait_s=WAIT_S))
        assert (done.reached, len(done.statuses)) == (True, 0)
        scored = len(service.scored())
        assert sum(committed(site.bootstrap, service.group, service.source).values()) == scored
        assert site.publish(service).service.version == 1
    service.settled()
    assert judge(sent, service.scored()) == Verdict(6_000, 0, 0, 0, 0)
    site.ask(partial(deploy.delete, service_id=service.name, wait_s=WAIT_S))
    page = worker.get("/metrics")[1]
    assert [line for line in page.splitlines() if service.name in line] == []


def test_another_source(site: Site, worker: Worker, service: Service) -> None:
    """An update may read another topic: it is served from there, and counted under its name."""
    create_topic(site.bootstrap, f"{service.source}-b")
    document = service.graph.read_text().replace(
        f"topic: {service.source}\n", f"topic: {service.source}-b\n"
    )
    path = variant(service, "b")
    path.write_text(document + f"dead_letter: {{topic: {service.dead}}}\n")
    assert site.update(service, path).problem == ""
    produce(site.bootstrap, f"{service.source}-b", events(50))
    until(lambda: len(service.scored()) == 50)
    page = worker.get("/metrics")[1]
    topics = [
        topic
        for topic in (service.source, f"{service.source}-b")
        if samples(page, "rtml_events_received_total", service=service.name, topic=topic)
    ]
    assert topics == [f"{service.source}-b"]
