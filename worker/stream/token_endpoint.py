"""Asks an OAuth 2.0 server for a token, by client credentials (RFC 6749, section 4.4)."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import quote_plus, urlencode

from worker.errors import TransportError
from worker.settings import Settings

TIMEOUT_S = 10.0
MAX_BYTES = 1_000_000
MAX_TOLD = 200
_PASSING = frozenset({408, 425, 429})
"""Answers besides those of 500 and more after which it is worth asking again."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A token as it was given out.

    Attributes:
        text: the token.
        life_s: for how long it is good; None where nobody says so.
        origin: where it is from, for messages.
    """

    text: str
    life_s: float | None
    origin: str


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: what comes after it would see the client secret."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def ask(settings: Settings) -> Grant:
    """A new token of ``RTML_SASL_OAUTH_TOKEN_URL``.

    Raises:
        TransportError: none is given; retriable where the server may only be busy or away.
    """
    url, secret = settings.sasl_oauth_token_url or "", settings.sasl_oauth_client_secret
    place = f"the token endpoint {url}"
    form = {"grant_type": "client_credentials"}
    if settings.sasl_oauth_scope is not None:
        form["scope"] = settings.sasl_oauth_scope
    known = f"{quote_plus(settings.sasl_oauth_client_id or '')}:"
    known += quote_plus("" if secret is None else secret.get_secret_value())
    request = urllib.request.Request(url, urlencode(form).encode())
    request.add_header("Authorization", f"Basic {base64.b64encode(known.encode()).decode()}")
    request.add_header("Accept", "application/json")
    try:
        https = urllib.request.HTTPSHandler(context=_trusting(settings.ssl_cafile))
        opener = urllib.request.build_opener(_Stay(), https)
        with opener.open(request, timeout=TIMEOUT_S) as answer:
            return _grant(answer.read(MAX_BYTES), place)
    except urllib.error.HTTPError as error:
        with error:
            passing = error.code >= 500 or error.code in _PASSING
            message = f"{place} answered {error.code}{_reason(error, settings)}"
            if not passing:
                message += "; check RTML_SASL_OAUTH_CLIENT_ID, _CLIENT_SECRET and _SCOPE"
            raise TransportError(message, retriable=passing) from None
    except (OSError, HTTPException) as error:
        cause = getattr(error, "reason", error)
        unknown = isinstance(cause, ssl.SSLCertVerificationError)
        message = f"{place} cannot be reached: {cause}"
        if unknown:
            message += "; name its CA by RTML_SSL_CAFILE"
        raise TransportError(message, retriable=not unknown) from None


def _trusting(cafile: str | None) -> ssl.SSLContext:
    """The system's certificates, and those of the settings."""
    context = ssl.create_default_context()
    if cafile is not None:
        context.load_verify_locations(cafile)
    return context


def _grant(body: bytes, place: str) -> Grant:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    text = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or not isinstance(text, str) or not text:
        message = f"{place} gave no access_token; is it the URL of a token endpoint?"
        raise TransportError(message, retriable=False)
    life_s = answer.get("expires_in")
    known = isinstance(life_s, int | float) and life_s > 0
    return Grant(text, life_s if known else None, place)


def _reason(error: urllib.error.HTTPError, settings: Settings) -> str:
    """What the server says of its refusal (RFC 6749, section 5.2), without our secret."""
    try:
        said = json.loads(error.read(MAX_BYTES))
    except (ValueError, OSError, HTTPException):
        return ""
    if not isinstance(said, dict):
        return ""
    words = [said[name] for name in ("error", "error_description") if name in said]
    told = ": ".join(word for word in words if isinstance(word, str) and word.isprintable())
    secret = settings.sasl_oauth_client_secret
    if secret is not None and secret.get_secret_value():
        told = told.replace(secret.get_secret_value(), "***")
    return f" ({told[:MAX_TOLD]})" if told else ""
