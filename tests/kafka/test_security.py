"""A Kafka that asks who is there: every way in, and every way not to get in."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.certificates import DAY, Authority
from tests.identity import Identity
from tests.kafka.client import create_topic, produce
from tests.kafka.inside import rtml
from tests.kafka.secured import ADMITTED, PASSWORD, Secured, unique
from tests.kafka.service import SCHEMA, make_service
from tests.kafka.verdict import Verdict, events, judge
from worker.errors import TransportError
from worker.loop import new_event_loop
from worker.settings import Settings, load
from worker.stream import topics
from worker.stream.connect import ask
from worker.stream.tools import connect

pytestmark = pytest.mark.long

N, PATIENCE_S, WRONG = 200, 30.0, "wr0ng-w0rd"
Variables = dict[str, str]
Refusals = dict[str, tuple[Variables, str]]


def by_worker(settings: Settings, waiting: Callable[[str], None]) -> dict[str, int]:
    """What the worker's own client is told."""

    async def run() -> dict[str, int]:
        deadline_s = asyncio.get_running_loop().time() + PATIENCE_S
        return await ask(settings, topics.partition_counts, deadline_s, waiting)

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(run())


def by_commands(settings: Settings, waiting: Callable[[str], None]) -> dict[str, int]:
    """What librdkafka is told."""
    return connect.topics(settings, PATIENCE_S, waiting)


BOTH = pytest.mark.parametrize("client", [by_worker, by_commands])
Client = Callable[[Settings, Callable[[str], None]], dict[str, int]]


def ways(secured: Secured) -> dict[str, Variables]:
    """Every way in."""
    insisting = {"SASL_USERNAME": ADMITTED, "SASL_PASSWORD": PASSWORD, "SASL_UNENCRYPTED": "true"}
    file = secured.folder / "token"
    file.write_text(secured.identity.token(ADMITTED))
    own = {"SASL_MECHANISM": "OAUTHBEARER", "SASL_OAUTH_TOKEN_FILE": str(file)}
    return {
        "PLAIN": secured.password(),
        "SCRAM-SHA-256": secured.password(mechanism="SCRAM-SHA-256"),
        "SCRAM-SHA-512": secured.password(mechanism="SCRAM-SHA-512"),
        "OAUTHBEARER": secured.token(),
        "token file": secured.settings(**own),
        "mutual TLS": secured.certificate(SSL_PASSWORD=PASSWORD),
        "PLAIN without TLS": secured.settings("READABLE", SASL_MECHANISM="PLAIN", **insisting),
    }


@BOTH
@pytest.mark.parametrize(
    "way",
    [
        *("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "token file"),
        *("mutual TLS", "PLAIN without TLS"),
    ],
)
def test_ways_in(secured: Secured, way: str, client: Client) -> None:
    """Both clients get in by each of them."""
    name = unique("seen")
    create_topic(secured.broker.bootstrap, name, 1)
    assert name in client(load(ways(secured)[way], {})[0], print)


@pytest.fixture(scope="module")
def refusals(secured: Secured) -> Refusals:
    """What is wrong, and what is told of it."""
    others = Authority(secured.folder, "others")
    strangers = secured.folder / "strangers"
    strangers.mkdir()
    file = secured.folder / "forged"
    with Identity(strangers) as stranger:
        file.write_text(stranger.token(ADMITTED))
    forged = {"SASL_MECHANISM": "OAUTHBEARER", "SASL_OAUTH_TOKEN_FILE": str(file)}
    scram = {"mechanism": "SCRAM-SHA-512", "SASL_PASSWORD": WRONG}
    trust, ours = "the broker's certificate", "the broker wants a certificate of us"
    foreign, old = others.issue("foreign"), secured.authority.issue("old", left=-DAY)
    return {
        "password": (secured.password(SASL_PASSWORD=WRONG), "Authentication failed"),
        "SCRAM password": (secured.password(**scram), "Authentication failed"),
        "user": (secured.password("nobody"), "Authentication failed"),
        "client secret": (
            secured.token(SASL_OAUTH_CLIENT_SECRET=WRONG),
            "check RTML_SASL_OAUTH_CLIENT_ID, _CLIENT_SECRET",
        ),
        "forged token": (secured.settings(**forged), "invalid_token"),
        "expired broker": (secured.settings("EXPIRED"), f"{trust} has expired"),
        "other broker": (secured.settings("ELSEWHERE"), f"{trust} is for another address"),
        "foreign CA": (
            secured.password(SSL_CAFILE=str(others.file)),
            "name its CA by RTML_SSL_CAFILE",
        ),
        "no certificate": (secured.settings("MUTUAL"), ours),
        "foreign certificate": (secured.certificate(foreign), ours),
        "expired certificate": (secured.certificate(old), ours),
        "mechanism": (
            secured.settings("READABLE", SASL_USERNAME="u", SASL_PASSWORD=WRONG),
            "RTML_SASL_MECHANISM",
        ),
        "no SASL": (
            secured.settings(
                "READABLE", SASL_USERNAME="u", SASL_PASSWORD=WRONG, BROKERS=secured.broker.bootstrap
            ),
            "RTML_SECURITY_PROTOCOL",
        ),
    }


WRONGS = (
    *("password", "SCRAM password", "user", "client secret", "forged token"),
    *("expired broker", "other broker", "foreign CA"),
    *("no certificate", "foreign certificate", "expired certificate", "mechanism", "no SASL"),
)


# uvloop ends a TLS connection that broke off in one of its next turns; no test waits for that.
@pytest.mark.filterwarnings("ignore:unclosed resource <TCPTransport:ResourceWarning")
@pytest.mark.parametrize("wrong", WRONGS)
def test_the_worker_is_refused(refusals: Refusals, wrong: str) -> None:
    """At once and for good, with what is wrong and which setting it is about."""
    variables, told = refusals[wrong]
    with pytest.raises(TransportError) as caught:
        by_worker(load(variables, {})[0], print)
    assert (told in str(caught.value), caught.value.retriable) == (True, False)
    assert WRONG not in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("password", "Authentication failed"),
        ("client secret", "check RTML_SASL_OAUTH_CLIENT_ID"),
        ("forged token", "invalid_token"),
        ("expired broker", "the broker's certificate is not trusted: expired"),
        ("no certificate", "the broker wants a certificate of us"),
        ("mechanism", "broker's supported mechanisms: PLAIN"),
    ],
)
def test_commands_are_refused(refusals: Refusals, wrong: str, told: str) -> None:
    """librdkafka tells less, but waits for nothing either."""
    with pytest.raises(TransportError) as caught:
        by_commands(load(refusals[wrong][0], {})[0], print)
    assert (told in str(caught.value), caught.value.retriable) == (True, False)
    assert WRONG not in str(caught.value)


@pytest.mark.parametrize(("protocol", "listener"), [("PLAINTEXT", "SECURE"), ("SSL", "READABLE")])
def test_another_protocol_is_asked_about(secured: Secured, protocol: str, listener: str) -> None:
    """A broker that hangs up may be about to stop: tried again, and each try tells the setting."""
    variables = secured.settings(listener, SECURITY_PROTOCOL=protocol)
    seen: list[str] = []

    def waiting(reason: str) -> None:
        seen.append(reason)
        raise StopIteration  # seen; nobody waits longer

    with pytest.raises(RuntimeError):
        by_worker(load(variables, {})[0], waiting)
    assert f"does it listen for RTML_SECURITY_PROTOCOL {protocol} there?" in seen[0]


def test_a_wrong_password_ends_the_worker(secured: Secured, tmp_path: Path) -> None:
    """Exit 3 at once; the reason is told, the password is not."""
    service = make_service(secured.broker.bootstrap, tmp_path)
    variables = secured.password(SASL_PASSWORD=WRONG)
    with service.worker(environment=variables, bootstrap=variables["RTML_BROKERS"]) as worker:
        assert worker.wait() == 3
    told = " ".join(worker.log.read_text().split())
    assert "SaslAuthenticationFailed: Authentication failed" in told
    assert WRONG not in told


def test_tokens_are_renewed(secured: Secured, tmp_path: Path) -> None:
    """The broker ends every connection whose token is over; none of the events is lost to that."""
    service = make_service(secured.broker.bootstrap, tmp_path)
    variables, identity = secured.token(), secured.identity
    before_s, identity.life_s, given = identity.life_s, 4.0, identity.given
    try:
        with service.worker(environment=variables, bootstrap=variables["RTML_BROKERS"]) as worker:
            sent = 0
            deadline_s = time.monotonic() + 60.0
            while identity.given < given + 3 or not sent:
                assert time.monotonic() < deadline_s
                produce(secured.broker.bootstrap, service.source, events(N, sent))
                sent += N
                service.settled()
            assert worker.terminate() == 0
    finally:
        identity.life_s = before_s
    assert judge(events(sent), service.scored()) == Verdict(sent, 0, 0, 0, 0)


@pytest.mark.parametrize("way", ["OAUTHBEARER", "mutual TLS"])
def test_every_command_gets_in(secured: Secured, tmp_path: Path, way: str) -> None:
    """Topics are made, events sent and read, letters and services looked for: the same settings."""
    service = make_service(secured.broker.bootstrap, tmp_path, create=False)
    sent = tmp_path / "events.jsonl"
    sent.write_text('{"f0": 1, "f1": 2}\n')
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps(SCHEMA))
    source, variables = service.source, ways(secured)[way]
    assert source in rtml(variables, "topics", "create", service.graph).out
    assert rtml(variables, "produce", source, sent).code == 0
    assert rtml(variables, "dataset", "ingest", sent, source, "--schema", schema).code == 0
    found = rtml(variables, "consume", source, "-n", "2", "--output", "value")
    assert found.out == 2 * sent.read_text()
    for words in (["dlq", "list", service.dead], ["service", "list"]):
        assert rtml(variables, *words).code == 0
