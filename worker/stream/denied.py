"""What Kafka refuses for good: which answers those are, and their words with the way out."""

from __future__ import annotations

import ssl

from aiokafka.errors import (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnsupportedSaslMechanismError,
)

from worker.errors import TransportError
from worker.stream.acls import Resource, lacking

FORBIDDEN = (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnsupportedSaslMechanismError,
)
"""Answers that trying again does not change."""

_ACL = {
    TopicAuthorizationFailedError: Resource.TOPIC,
    GroupAuthorizationFailedError: Resource.GROUP,
    TransactionalIdAuthorizationFailed: Resource.TRANSACTIONAL_ID,
    ClusterAuthorizationFailedError: Resource.CLUSTER,
}
_LOGIN = {
    SaslAuthenticationFailed: "check what RTML_SASL_* tells of this user",
    AuthenticationFailedError: "check what RTML_SASL_* tells of this user",
    UnsupportedSaslMechanismError: "check RTML_SASL_MECHANISM",
    IllegalSaslStateError: "its listener asks for no user: check RTML_SECURITY_PROTOCOL",
}

OUR_CERTIFICATE = (
    "the broker wants a certificate of us that it accepts; "
    "check RTML_SSL_CERTFILE and RTML_SSL_KEYFILE"
)
_VERIFIED = {
    10: "the broker's certificate has expired",
    62: "the broker's certificate is for another host name; RTML_BROKERS, and what the brokers "
    "advertise, must be names that it holds",
    64: "the broker's certificate is for another address; RTML_BROKERS, and what the brokers "
    "advertise, must be names that it holds",
}
"""By OpenSSL's numbers; all others are about who signed it."""
_ABOUT_OURS = ("ALERT_CERTIFICATE", "ALERT_BAD_CERTIFICATE", "ALERT_UNKNOWN_CA")
_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_MESSAGE")


def refused(error: KafkaError) -> TransportError:
    """The error that stops the worker: Kafka answered, and its answer will not change."""
    name = " ".join(filter(None, map(_named, error.args)))
    words = [f"Kafka refused: {type(error).__name__}" + (f": {name}" if name else "")]
    if "RTML_" not in name:
        words += [way_out for kind, way_out in _LOGIN.items() if isinstance(error, kind)]
    words += [lacking(guarded, name) for kind, guarded in _ACL.items() if isinstance(error, kind)]
    return TransportError("; ".join(words), retriable=False)


def _named(argument: object) -> str:
    """A topic, or several of them; a group; a transactional id; not aiokafka's own objects."""
    if isinstance(argument, set | frozenset | list | tuple):
        return ", ".join(sorted(map(str, argument)))
    return argument if isinstance(argument, str) else ""


def untrusted(error: BaseException) -> str | None:
    """Why TLS came to nothing, where trying again does not change it; None where it may."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, ssl.SSLError):
        seen = seen.__cause__
    if seen is None:
        return None
    reason = seen.reason or ""
    if isinstance(seen, ssl.SSLCertVerificationError):
        other = f"the broker's certificate is not trusted ({seen.verify_message})"
        words = _VERIFIED.get(seen.verify_code, f"{other}; name its CA by RTML_SSL_CAFILE")
    elif any(part in reason for part in _ABOUT_OURS):
        words = f"{OUR_CERTIFICATE} ({reason})"
    elif any(part in reason for part in _NO_TLS):
        words = "no TLS is spoken there; check RTML_SECURITY_PROTOCOL and the port in RTML_BROKERS"
    else:
        return None
    return words
