"""The settings as librdkafka names them, and what it says in turn."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from confluent_kafka import KafkaError

from worker.errors import TransportError
from worker.settings import Settings
from worker.stream.acls import Resource, lacking
from worker.stream.denied import OUR_CERTIFICATE
from worker.stream.tokens import tokens_of

REFUSALS = frozenset(
    {
        KafkaError._AUTHENTICATION,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.UNSUPPORTED_SASL_MECHANISM,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    }
)
"""Answers that trying again does not change."""
_TLS = {
    "certificate verify failed": "the broker's certificate is not trusted: expired, for another "
    "host name, or signed by a CA that RTML_SSL_CAFILE does not hold",
    "alert bad certificate": OUR_CERTIFICATE,
    "alert certificate": OUR_CERTIFICATE,
    "alert unknown ca": OUR_CERTIFICATE,
}
"""What librdkafka quotes of OpenSSL, and what that means; trying again does not change it."""
_ACL = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: Resource.TOPIC,
    KafkaError.GROUP_AUTHORIZATION_FAILED: Resource.GROUP,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: Resource.TRANSACTIONAL_ID,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: Resource.CLUSTER,
}
_SECURITY = {
    "sasl_username": "sasl.username",
    "sasl_password": "sasl.password",
    "ssl_cafile": "ssl.ca.location",
    "ssl_certfile": "ssl.certificate.location",
    "ssl_keyfile": "ssl.key.location",
    "ssl_password": "ssl.key.password",
}


def configuration(settings: Settings) -> dict[str, Any]:
    """What every client of librdkafka is told.

    Raises:
        TransportError: there is no token; librdkafka would wait for one without a word.
    """
    given: dict[str, Any] = {
        "bootstrap.servers": settings.brokers,
        "client.id": settings.client_id,
        "security.protocol": settings.security_protocol,
        "log_level": 0,  # the reasons come by the error callback; the log would repeat them
    }
    if settings.security_protocol.startswith("SASL"):
        given["sasl.mechanism"] = settings.sasl_mechanism
    if given.get("sasl.mechanism") == "OAUTHBEARER":
        tokens_of(settings).current()
        given["oauth_cb"] = partial(_token, settings)
    for name, theirs in _SECURITY.items():
        value = getattr(settings, name)
        belongs = settings.security_protocol.startswith("SASL") or name.startswith("ssl")
        belongs &= name.startswith("ssl") or settings.sasl_mechanism != "OAUTHBEARER"
        if value is not None and belongs:
            given[theirs] = value if isinstance(value, str) else value.get_secret_value()
    return given


def _token(settings: Settings, _: str | None) -> tuple[str, float, str]:
    """What librdkafka asks for when a token is about to expire, in a thread of its own."""
    token = tokens_of(settings).current()
    return token.text, token.expires_s, token.principal


def told(error: KafkaError, name: str) -> str:
    """Kafka's words about what is called ``name``, with the way out where a permission is missing.

    Args:
        error: what Kafka answered.
        name: of the topic, group or transactional id that was asked for.
    """
    guarded = _ACL.get(error.code())
    return error.str() + (f"; {lacking(guarded, name)}" if guarded is not None else "")


class Reasons:
    """Why Kafka is not reached, as librdkafka's error callback tells it.

    Attributes:
        last: the latest reason; empty while there is none.
        refusal: an answer that waiting does not change; empty while there is none.
    """

    def __init__(self) -> None:
        self.last = self.refusal = ""
        self._all_down = False

    def __call__(self, error: KafkaError) -> None:
        """The callback."""
        tls = next((words for part, words in _TLS.items() if part in error.str()), "")
        if error.code() in REFUSALS or tls:
            self.refusal = tls or plain(told(error, ""))
        elif error.code() == KafkaError._ALL_BROKERS_DOWN:  # the reason stood in the one before
            self._all_down = True
        else:
            self.last = plain(error.str())

    def tell(self, waiting: Callable[[str], None]) -> None:
        """Passes on that no broker is left, once each time.

        Raises:
            TransportError: an answer that waiting does not change.
        """
        if self.refusal:
            raise TransportError(f"Kafka refused: {self.refusal}", retriable=False)
        if self._all_down:
            waiting(f"Kafka does not answer: {self.last}")
            self._all_down = False


def plain(text: str) -> str:
    """Librdkafka's text without the names of its own connections and states."""
    return re.sub(r"^\S+/\w+: |^\w+://\S+: | \(after .*?\)( suppressed\))?", "", text)
