"""A Kafka that lets in whom it knows, to what they may: every way of proving it, on one broker."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from tests.broker import Listener, RealKafka
from tests.certificates import DAY, Authority, Issued
from tests.identity import AUDIENCE, ISSUER, Identity
from tests.kafka.conftest import jar_kafka

PASSWORD, CLIENT_SECRET = "s3cr3t-w0rd", "cl13nt+s3cr3t/%"
USERS = tuple(f"user{i}" for i in range(24))
"""Known by SASL PLAIN, each with `PASSWORD`; a test takes one for itself by `Secured.user`."""
ADMITTED = "admitted"
"""May do everything; known to every mechanism, and the name in `Secured.client`."""
LISTENERS = [
    Listener("SECURE", "SASL_SSL"),
    Listener("READABLE", "SASL_PLAINTEXT"),
    Listener("MUTUAL", "SSL"),
    Listener("EXPIRED", "SSL"),
    Listener("ELSEWHERE", "SSL"),
]
_LOGIN = "org.apache.kafka.common.security"
_LAST_S = 30.0

Acl = tuple[ResourceType, str, ResourcePatternType, AclOperation]


@dataclass
class Secured:
    """The broker, who signs for it, and who signs for its clients."""

    broker: RealKafka
    authority: Authority
    identity: Identity
    client: Issued
    folder: Path

    def __post_init__(self) -> None:
        self._admin = AdminClient({"bootstrap.servers": self.broker.bootstrap, "log_level": 0})
        self._free = list(USERS)

    def user(self) -> str:
        """A user that no other test has."""
        return self._free.pop()

    def allow(self, user: str, acls: Iterable[Acl]) -> None:
        """Permits these operations, from everywhere."""
        for done in self._admin.create_acls([_binding(user, acl) for acl in acls]).values():
            done.result(_LAST_S)

    def forbid(self, user: str, acl: Acl) -> None:
        """Takes one permission back."""
        kind, name, pattern, operation = acl
        wanted = AclBindingFilter(
            kind, name, pattern, f"User:{user}", "*", operation, AclPermissionType.ALLOW
        )
        (done,) = self._admin.delete_acls([wanted]).values()
        assert len(done.result(_LAST_S)) == 1

    def settings(self, listener: str = "SECURE", **given: str) -> dict[str, str]:
        """``RTML_`` variables for a listener, without the prefix in ``given``."""
        protocol = next(one.protocol for one in LISTENERS if one.name == listener)
        tls = {"SSL_CAFILE": str(self.authority.file)} if protocol.endswith("SSL") else {}
        found = {"SECURITY_PROTOCOL": protocol, "BROKERS": self.broker.address(listener), **tls}
        return {f"RTML_{name}": value for name, value in {**found, **given}.items()}

    def password(
        self, user: str = ADMITTED, mechanism: str = "PLAIN", **given: str
    ) -> dict[str, str]:
        """Variables of a user with the right password."""
        own = {"SASL_MECHANISM": mechanism, "SASL_USERNAME": user, "SASL_PASSWORD": PASSWORD}
        return self.settings(**{**own, **given})

    def token(self, user: str = ADMITTED, **given: str) -> dict[str, str]:
        """Variables of a client that gets its tokens from `identity`."""
        self.identity.clients[user] = CLIENT_SECRET
        own = {
            "SASL_MECHANISM": "OAUTHBEARER",
            "SASL_OAUTH_TOKEN_URL": self.identity.url,
            "SASL_OAUTH_CLIENT_ID": user,
            "SASL_OAUTH_CLIENT_SECRET": CLIENT_SECRET,
        }
        return self.settings(**{**own, **given})

    def certificate(self, issued: Issued | None = None, **given: str) -> dict[str, str]:
        """Variables of a client that shows a certificate."""
        shown = issued or self.client
        own = {"SSL_CERTFILE": str(shown.certificate), "SSL_KEYFILE": str(shown.key)}
        return self.settings("MUTUAL", **{**own, **given})


@contextmanager
def secured_kafka(folder: Path) -> Iterator[Secured]:
    """A running one; a test without a Kafka is skipped."""
    authority = Authority(folder)
    issued = {
        "SECURE": authority.issue("secure"),
        "MUTUAL": authority.issue("mutual"),
        "EXPIRED": authority.issue("expired", left=-DAY),
        "ELSEWHERE": authority.issue("elsewhere", host="10.0.0.1"),
    }
    with Identity(folder) as identity:
        keys = identity.keys.as_uri()
        allowed = [f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={keys}"]
        with jar_kafka(_properties(authority, issued, keys), LISTENERS, allowed) as broker:
            client = authority.issue(ADMITTED, password=PASSWORD)
            found = Secured(broker, authority, identity, client, folder)
            _know(found)
            yield found


def _properties(authority: Authority, issued: Mapping[str, Issued], keys: str) -> dict[str, str]:
    users = " ".join(f'user_{name}="{PASSWORD}"' for name in (ADMITTED, *USERS))
    plain = f"{_LOGIN}.plain.PlainLoginModule required {users};"
    scram = f"{_LOGIN}.scram.ScramLoginModule required;"
    oauth = f"{_LOGIN}.oauthbearer.OAuthBearerLoginModule required;"
    checks = f"{_LOGIN}.oauthbearer.OAuthBearerValidatorCallbackHandler"
    secure, mutual = "listener.name.secure", "listener.name.mutual"
    oauthbearer = f"{secure}.oauthbearer.sasl.oauthbearer"
    found = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:ANONYMOUS;User:{ADMITTED}",
        f"{secure}.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
        f"{secure}.plain.sasl.jaas.config": plain,
        f"{secure}.scram-sha-256.sasl.jaas.config": scram,
        f"{secure}.scram-sha-512.sasl.jaas.config": scram,
        f"{secure}.oauthbearer.sasl.jaas.config": oauth,
        f"{secure}.oauthbearer.sasl.server.callback.handler.class": checks,
        # Connections end when their token does.
        f"{secure}.oauthbearer.connections.max.reauth.ms": "60000",
        # Without it Kafka 4.1.0 checks no signatures; and of a mechanism it does not take it.
        "sasl.oauthbearer.jwt.validator.class": f"{_LOGIN}.oauthbearer.BrokerJwtValidator",
        f"{oauthbearer}.jwks.endpoint.url": keys,
        f"{oauthbearer}.expected.issuer": ISSUER,
        f"{oauthbearer}.expected.audience": AUDIENCE,
        f"{oauthbearer}.clock.skew.seconds": "0",
        "listener.name.readable.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.readable.plain.sasl.jaas.config": plain,
        f"{mutual}.ssl.client.auth": "required",
        f"{mutual}.ssl.principal.mapping.rules": "RULE:^CN=(.*)$/$1/",
    }
    for name, made in issued.items():
        prefix = f"listener.name.{name.lower()}.ssl"
        found |= {f"{prefix}.keystore.type": "PEM", f"{prefix}.keystore.location": str(made.both)}
        found |= {f"{prefix}.truststore.type": "PEM"}
        found |= {f"{prefix}.truststore.location": str(authority.file)}
    return found


def _know(secured: Secured) -> None:
    """SCRAM's users are no configuration."""
    users = [
        UserScramCredentialUpsertion(
            ADMITTED, ScramCredentialInfo(mechanism, 4096), PASSWORD.encode()
        )
        for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512)
    ]
    for user in users:
        for done in secured._admin.alter_user_scram_credentials([user]).values():
            done.result(_LAST_S)


def _binding(user: str, acl: Acl) -> AclBinding:
    kind, name, pattern, operation = acl
    return AclBinding(kind, name, pattern, f"User:{user}", "*", operation, AclPermissionType.ALLOW)


def unique(label: str) -> str:
    """A name that nobody else uses."""
    return f"{label}-{uuid.uuid4().hex[:8]}"
