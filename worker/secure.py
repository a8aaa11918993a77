"""Which settings of security go together, and which of them would give something away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from worker.addresses import is_loopback
from worker.errors import Problem

SECRET = ("password", "secret", "token")
"""How the names of settings end whose values are shown nowhere."""
INSIST = "RTML_SASL_UNENCRYPTED=true"
_TRUE = frozenset({"true", "1", "yes", "on", "t", "y"})


def insecure(given: Mapping[str, Any]) -> list[Problem]:
    """What is missing, or would be sent readable; by field, whether other fields are valid or not.

    The fields are looked at together, so none of them can do it alone.
    """
    problems = []
    if "@" in given.get("brokers", ""):
        message = "brokers hold no credentials; use RTML_SASL_USERNAME and RTML_SASL_PASSWORD"
        problems.append(Problem("brokers", message))
    if "@" in (given.get("advertised_url") or ""):
        problems.append(Problem("advertised_url", "a URL that others read holds no credentials"))
    protocol = given.get("security_protocol", "")
    if protocol.startswith("SASL"):
        problems += _oauth(given) if _is_oauth(given) else _password(given)
    if protocol == "SASL_PLAINTEXT":
        problems += _readable(given)
    if protocol.endswith("SSL") and given.get("ssl_keyfile") and not given.get("ssl_certfile"):
        problems.append(Problem("ssl_certfile", "is required by RTML_SSL_KEYFILE"))
    return problems


def _is_oauth(given: Mapping[str, Any]) -> bool:
    return given.get("sasl_mechanism") == "OAUTHBEARER"


def _insists(given: Mapping[str, Any]) -> bool:
    return str(given.get("sasl_unencrypted", "")).lower() in _TRUE


def _password(given: Mapping[str, Any]) -> list[Problem]:
    return [
        Problem(field, f"is required by {given['security_protocol']}")
        for field in ("sasl_username", "sasl_password")
        if given.get(field) is None
    ]


def _readable(given: Mapping[str, Any]) -> list[Problem]:
    """SCRAM shows nobody the password; PLAIN and OAUTHBEARER send what lets everybody in."""
    sent = {"PLAIN": "password", "OAUTHBEARER": "token"}.get(given.get("sasl_mechanism", ""))
    if sent is None or _insists(given):
        return []
    message = f"SASL {given['sasl_mechanism']} without TLS would send the {sent} readable"
    return [Problem("security_protocol", f"{message}; use SASL_SSL, or insist by {INSIST}")]


def _oauth(given: Mapping[str, Any]) -> list[Problem]:
    """A token comes from a file, or from a server that knows us by id and secret."""
    url, file = given.get("sasl_oauth_token_url"), given.get("sasl_oauth_token_file")
    if url and file:
        message = "excludes RTML_SASL_OAUTH_TOKEN_FILE: a token comes from one of them"
        return [Problem("sasl_oauth_token_url", message)]
    if file:
        return []
    if not url:
        message = "is required by OAUTHBEARER, or RTML_SASL_OAUTH_TOKEN_FILE is"
        return [Problem("sasl_oauth_token_url", message)]
    problems = [
        Problem(field, "is required by RTML_SASL_OAUTH_TOKEN_URL")
        for field in ("sasl_oauth_client_id", "sasl_oauth_client_secret")
        if given.get(field) is None
    ]
    wrong = _wrong_url(url, insists=_insists(given))
    return problems + ([Problem("sasl_oauth_token_url", wrong)] if wrong else [])


def _wrong_url(url: str, *, insists: bool) -> str:
    """Why tokens cannot be asked for there; never shows the URL, which may hold credentials."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known or not url.isprintable() or " " in url:
        return "is no URL of a token endpoint, such as https://login.example.org/oauth2/token"
    if "@" in parts.netloc:
        return "holds no credentials; use RTML_SASL_OAUTH_CLIENT_ID and _CLIENT_SECRET"
    if parts.scheme == "http" and not is_loopback(parts.hostname or "") and not insists:
        return f"would send the client secret readable; use https, or insist by {INSIST}"
    return ""


def unused(given: Mapping[str, Any]) -> list[str]:
    """A warning for every setting of TLS or SASL that the protocol or mechanism does not look at.

    The CA file is looked at where tokens are asked for, too.
    """
    protocol = str(given.get("security_protocol", "PLAINTEXT"))
    by_protocol = f"RTML_SECURITY_PROTOCOL {protocol}"
    by_mechanism = f"RTML_SASL_MECHANISM {given.get('sasl_mechanism', 'SCRAM-SHA-512')}"
    ignored = ("sasl_username", "sasl_password") if _is_oauth(given) else ("sasl_oauth_",)
    asks = "SASL" in protocol and _is_oauth(given) and "sasl_oauth_token_url" in given
    warnings = []
    for name in sorted(given):
        reason = ""
        if name.startswith("ssl_") and "SSL" not in protocol:
            reason = "" if asks and name == "ssl_cafile" else by_protocol
        elif name.startswith("sasl_") and "SASL" not in protocol:
            reason = by_protocol
        elif name.startswith(ignored):
            reason = by_mechanism
        if reason:
            warnings.append(f"RTML_{name.upper()} is not used with {reason}")
    return warnings


def shown(given: Mapping[str, Any]) -> dict[str, Any]:
    """What may be quoted in a message: everything but secrets."""
    return {name: "***" if name.endswith(SECRET) else value for name, value in given.items()}
