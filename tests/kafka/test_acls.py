"""The least that a worker must be allowed: with it everything runs, without any part of it not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from confluent_kafka.admin import AclOperation, AdminClient, ResourcePatternType, ResourceType
from structlog.testing import capture_logs

from tests.cli.conftest import Done
from tests.kafka.client import Record, produce
from tests.kafka.inside import rtml
from tests.kafka.secured import PASSWORD, Acl, Secured
from tests.kafka.service import GROUP_PREFIX, Service, make_service
from tests.kafka.verdict import Verdict, events, judge
from tests.kafka.worker import Worker
from worker.app import Options
from worker.app import Worker as App
from worker.cli.loading import load_graph
from worker.errors import ConfigError, RtmlError, TransportError
from worker.loop import new_event_loop
from worker.services.records import TOPICS
from worker.settings import load
from worker.stream.connect import ask
from worker.stream.topics import TopicLimits, limits

pytestmark = pytest.mark.long

N, PATIENCE_S = 200, 30.0
CHANGES, BENCH = "rtml-service", "rtml-bench-"
GUARANTEES = ["at_least_once", "exactly_once"]
BROKEN = Record(b"no event", b"k")
"""Ends as a dead letter."""


def topic(name: str, operation: AclOperation) -> Acl:
    """On one topic."""
    return ResourceType.TOPIC, name, ResourcePatternType.LITERAL, operation


def group(service: Service) -> Acl:
    """To read as a member of its consumer group."""
    return ResourceType.GROUP, service.group, ResourcePatternType.LITERAL, AclOperation.READ


def transactions(prefix: str) -> Acl:
    """To write as the producers whose transactional ids begin so."""
    kind = ResourceType.TRANSACTIONAL_ID
    return kind, f"{prefix}/", ResourcePatternType.PREFIXED, AclOperation.WRITE


def needed(service: Service, guarantee: str) -> dict[str, Acl]:
    """What docs/security.md lists for a worker that serves a graph."""
    found = {
        "source": topic(service.source, AclOperation.READ),
        "sink": topic(service.sink, AclOperation.WRITE),
        "dead letters": topic(service.dead, AclOperation.WRITE),
        "group": group(service),
    }
    for name in ("source", "sink", "dead"):
        config = topic(getattr(service, name), AclOperation.DESCRIBE_CONFIGS)
        found[f"limits of the {name}"] = config
    if guarantee == "exactly_once":
        found["transactions"] = transactions(service.group)
    return found


def variables(secured: Secured, user: str) -> dict[str, str]:
    """Settings of a user."""
    own = {"SASL_USERNAME": user, "SASL_PASSWORD": PASSWORD, "SASL_UNENCRYPTED": "true"}
    return secured.settings("READABLE", SASL_MECHANISM="PLAIN", HTTP_PORT="0", **own)


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_a_worker_runs_with_exactly_these(secured: Secured, tmp_path: Path, guarantee: str) -> None:
    """Events are scored and buried, offsets committed; it warns of nothing."""
    service = make_service(secured.broker.bootstrap, tmp_path, guarantee=guarantee)
    user = secured.user()
    secured.allow(user, needed(service, guarantee).values())
    produce(secured.broker.bootstrap, service.source, [*events(N), BROKEN])
    given = variables(secured, user)
    with service.worker(environment=given, bootstrap=given["RTML_BROKERS"]) as worker:
        service.settled()
        assert worker.terminate() == 0
    assert judge(events(N), service.scored()) == Verdict(N, 0, 0, 0, 0)
    assert [letter.value for letter in service.dead_letters()] == [BROKEN.value]
    assert "topic_limits_unknown" not in worker.log.read_text()


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_a_benchmark_runs_with_exactly_these(
    secured: Secured, tmp_path: Path, guarantee: str
) -> None:
    """What docs/security.md lists for it; each event is accounted for, nothing is left."""
    service = make_service(secured.broker.bootstrap, tmp_path, guarantee=guarantee, create=False)
    user, of = secured.user(), AclOperation
    wanted = {
        ResourceType.TOPIC: [of.CREATE, of.DELETE, of.READ, of.WRITE, of.DESCRIBE_CONFIGS],
        ResourceType.GROUP: [of.READ, of.DELETE],
        ResourceType.TRANSACTIONAL_ID: [of.WRITE] if guarantee == "exactly_once" else [],
    }
    pattern = ResourcePatternType.PREFIXED
    secured.allow(user, [(kind, BENCH, pattern, each) for kind in wanted for each in wanted[kind]])
    sizes = ["--events", "10000", "--rate", "100", "--seconds", "1", "--partitions", "2"]
    done = rtml(variables(secured, user), "bench", service.graph, *sizes, "-o", "json")
    assert done.code == 0, done.err
    found = done.json
    assert found["complete"]
    assert found["in"] == found["scored"] + sum(one["events"] for one in found["dead_letters"])
    assert found["worker"]["events_per_second"] > 0
    assert found["floor"]["events_per_second"] > 0
    assert [name for name in topics(secured) if name.startswith(BENCH)] == []


def topics(secured: Secured) -> list[str]:
    """All that there are."""
    client = AdminClient({"bootstrap.servers": secured.broker.bootstrap})
    return list(client.list_topics(timeout=10).topics)


def failure(service: Service, given: dict[str, str]) -> RtmlError:
    """What ends a worker, run inside this process."""
    settings, _ = load(given, {"group": service.group})
    plans = {service.name: load_graph(service.graph).plan}

    async def run() -> None:
        async with asyncio.timeout(PATIENCE_S):
            await App(plans, settings, Options(PATIENCE_S)).run()

    with asyncio.Runner(loop_factory=new_event_loop) as runner, pytest.raises(RtmlError) as caught:
        runner.run(run())
    return caught.value


LACKS = "this user lacks an ACL on"
VISIBLE = "; it is seen"
"""Kafka hides topics from who may do nothing with them; others may at least see them."""
CASES = [
    ("at_least_once", "source", "topic '{source}' does not exist"),
    ("at_least_once", "sink", "topic '{sink}' does not exist"),
    ("at_least_once", "dead letters", "topic '{dead}' does not exist"),
    ("at_least_once", "source" + VISIBLE, "topic '{source}': Read where it is read"),
    ("at_least_once", "sink" + VISIBLE, "topic '{sink}': Read where it is read, Write where"),
    ("at_least_once", "dead letters" + VISIBLE, "topic '{dead}': Read where it is read, Write"),
    ("at_least_once", "group", "group '{group}': Read"),
    ("exactly_once", "source" + VISIBLE, "topic '{source}': Read where it is read"),
    ("exactly_once", "sink" + VISIBLE, "topic '{sink}': Read where it is read, Write where"),
    ("exactly_once", "dead letters" + VISIBLE, "topic '{dead}': Read where it is read, Write"),
    ("exactly_once", "group", "group '{group}': Read"),
    ("exactly_once", "transactions", "transactional id '{group}/{source}/0': Write"),
]


@pytest.mark.parametrize(("guarantee", "missing", "told"), CASES)
def test_each_that_is_missing_is_told(
    secured: Secured, tmp_path: Path, guarantee: str, missing: str, told: str
) -> None:
    """The worker ends, commits nothing, and names what it may not and where the commands are."""
    service = make_service(secured.broker.bootstrap, tmp_path, guarantee=guarantee, partitions=1)
    user, which = secured.user(), missing.removesuffix(VISIBLE)
    acls = needed(service, guarantee)
    kind, name, pattern, _ = acls.pop(which)
    if missing.endswith(VISIBLE):
        acls[which] = (kind, name, pattern, AclOperation.DESCRIBE)
    secured.allow(user, acls.values())
    sent = [BROKEN] if which == "dead letters" else events(N)
    produce(secured.broker.bootstrap, service.source, sent)
    found = failure(service, variables(secured, user))
    names = {key: getattr(service, key) for key in ("source", "sink", "dead", "group")}
    assert told.format(**names) in str(found)
    assert LACKS in str(found)
    assert "docs/security.md has the commands" in str(found)
    assert isinstance(found, ConfigError if "not exist" in told else TransportError)
    assert service.scored() == service.dead_letters() == []


def test_limits_that_are_not_told_are_warned_of(secured: Secured, tmp_path: Path) -> None:
    """Without DescribeConfigs it runs with Kafka's defaults, and says so."""
    service = make_service(secured.broker.bootstrap, tmp_path, partitions=1)
    user, acls = secured.user(), needed(service, "at_least_once")
    del acls["limits of the sink"]
    secured.allow(user, acls.values())
    settings, _ = load(variables(secured, user), {})
    names = [service.source, service.sink]

    async def asked() -> dict[str, TopicLimits]:
        deadline_s = asyncio.get_running_loop().time() + PATIENCE_S
        return await ask(settings, lambda admin: limits(admin, names), deadline_s, print)

    with capture_logs() as logged:
        found = asyncio.run(asked())
    assert found == dict.fromkeys(names, TopicLimits())
    (warning,) = [one for one in logged if one["event"] == "topic_limits_unknown"]
    assert warning["topics"] == [service.sink]
    assert "DescribeConfigs" in warning["error"]


def unbroken(done: Done) -> str:
    """What a command said, without the ends of its lines."""
    return " ".join(done.err.split())


def test_commands_tell_what_is_missing(secured: Secured, tmp_path: Path) -> None:
    """Who may see a topic, and no more, is told so when it reads, writes or makes one."""
    bootstrap, user = secured.broker.bootstrap, secured.user()
    service = make_service(bootstrap, tmp_path, partitions=1)
    produce(bootstrap, service.source, events(1))
    given, sent = variables(secured, user), tmp_path / "events.jsonl"
    sent.write_bytes(b'{"f0": 1, "f1": 2}\n')
    hidden = rtml(given, "consume", service.source, "-n", "1")
    assert (hidden.code, f"if '{service.source}' does exist" in hidden.err) == (2, True)
    nowhere = rtml(given, "topics", "create", service.graph)
    assert (nowhere.code, LACKS in unbroken(nowhere)) == (3, True), nowhere.err
    seen, elsewhere = AclOperation.DESCRIBE, topic(service.sink, AclOperation.WRITE)
    secured.allow(user, [topic(service.source, seen), elsewhere])
    lacking = f"{LACKS} topic '{service.source}'"
    read, written = ["consume", service.source, "-n", "1"], ["produce", service.source, sent]
    for words, code in ((read, 3), (written, 1)):
        done = rtml(given, *words)
        assert (done.code, lacking in unbroken(done)) == (code, True), done.err


def test_a_location_runs_with_exactly_these(secured: Secured, tmp_path: Path) -> None:
    """A worker reads the services and writes its status; who publishes writes both ways."""
    bootstrap = secured.broker.bootstrap
    service = make_service(bootstrap, tmp_path)
    assert rtml({"RTML_BROKERS": bootstrap}, "service", "list").code == 0  # makes the topics
    services, status = TOPICS
    common = [topic(services, AclOperation.READ), topic(status, AclOperation.READ)]
    author, user = secured.user(), secured.user()
    secured.allow(author, [*common, topic(services, AclOperation.WRITE), transactions(CHANGES)])
    own = needed(service, "at_least_once").values()
    secured.allow(user, [*common, topic(status, AclOperation.WRITE), *own])
    place = {"RTML_MODEL_STORE": str(tmp_path / "store"), "RTML_LOCATION": "vault"}
    given = {**variables(secured, user), **place}
    with Worker([], given["RTML_BROKERS"], GROUP_PREFIX, tmp_path, (), given) as worker:
        worker.wait_ready()
        words = ["service", "publish", service.graph, "--id", service.name]
        done = rtml({**variables(secured, author), **place}, *words)
        assert (done.code, done.err) == (0, "served by 1 worker\n")
        produce(bootstrap, service.source, events(N))
        service.settled()
        assert worker.terminate() == 0
    assert judge(events(N), service.scored()) == Verdict(N, 0, 0, 0, 0)
