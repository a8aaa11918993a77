"""A Kafka that asks who is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._scram import (
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from tests.broker import Listener, RealKafka
from tests.kafka.client import produce
from tests.kafka.conftest import jar_kafka
from tests.kafka.service import make_service
from tests.kafka.verdict import Verdict, events, judge

N = 200
USER, PASSWORD, WRONG = "fraud", "s3cr3t-w0rd", "wr0ng-w0rd"
SASL = {
    "listener.name.asking.sasl.enabled.mechanisms": "SCRAM-SHA-512",
    "listener.name.asking.scram-sha-512.sasl.jaas.config": (
        "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    ),
}
SETTINGS = {
    "RTML_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
    "RTML_SASL_MECHANISM": "SCRAM-SHA-512",
    "RTML_SASL_USERNAME": USER,
}


@pytest.fixture(scope="module")
def broker() -> Iterator[RealKafka]:
    """A Kafka with a listener that asks for user and password."""
    with jar_kafka(SASL, [Listener("ASKING", "SASL_PLAINTEXT")]) as own:
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        user = UserScramCredentialUpsertion(USER, info, PASSWORD.encode())
        admin = AdminClient({"bootstrap.servers": own.bootstrap})
        for done in admin.alter_user_scram_credentials([user]).values():
            done.result(30.0)
        yield own


def test_user_and_password_let_the_worker_in(broker: RealKafka, tmp_path: Path) -> None:
    """With the right password all of its clients work, and the log does not know it."""
    service = make_service(broker.bootstrap, tmp_path)
    produce(broker.bootstrap, service.source, events(N))
    settings = {**SETTINGS, "RTML_SASL_PASSWORD": PASSWORD, "RTML_LOG_LEVEL": "debug"}
    with service.worker(environment=settings, bootstrap=broker.address("ASKING")) as worker:
        service.settled()
        assert worker.terminate() == 0
    assert judge(events(N), service.scored()) == Verdict(N, 0, 0, 0, 0)
    assert PASSWORD not in worker.log.read_text()


def test_a_wrong_password_ends_the_worker(broker: RealKafka, tmp_path: Path) -> None:
    """Trying again would not help: exit 3 at once, the reason told, the password not."""
    service = make_service(broker.bootstrap, tmp_path)
    settings = {**SETTINGS, "RTML_SASL_PASSWORD": WRONG}
    with service.worker(environment=settings, bootstrap=broker.address("ASKING")) as worker:
        assert worker.wait() == 3
    told = worker.log.read_text()
    assert "SaslAuthenticationFailed" in " ".join(told.split())
    assert WRONG not in told
