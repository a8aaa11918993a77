"""Tokens for SASL OAUTHBEARER: from a file, or from a server by OAuth 2.0 client credentials."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from worker.errors import TransportError
from worker.files import open_file
from worker.settings import Settings
from worker.stream.token_endpoint import Grant, ask

MARGIN, MARGIN_MAX_S = 0.2, 60.0
"""A token is renewed when so much of its life is left, so that none expires on its way."""
UNKNOWN_LIFE_S = 60.0
"""Of a token that does not say when it expires; it is asked for again after that."""
MAX_BYTES = 100_000
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""What a bearer token may consist of (RFC 6750); anything else could end its message early."""


@dataclass(frozen=True, slots=True)
class Token:
    """Lets its bearer in.

    Attributes:
        text: as it is sent.
        expires_s: since the epoch.
        renew_s: since the epoch, from when on another one is used.
        principal: whom it names; empty where that cannot be told.
    """

    text: str
    expires_s: float
    renew_s: float
    principal: str

    def __repr__(self) -> str:
        return f"Token(expires_s={self.expires_s})"


class Tokens:
    """The tokens of one worker: all its clients and threads show the same one while it is good."""

    def __init__(self, obtain: Callable[[], Grant], clock: Callable[[], float] = time.time) -> None:
        """``obtain`` gets a new token; ``clock`` tells the seconds since the epoch."""
        self._obtain, self._clock = obtain, clock
        self._token: Token | None = None
        self._lock = threading.Lock()

    def current(self) -> Token:
        """A token that is good for a while; waits for a new one where need be.

        Raises:
            TransportError: there is none, with the reason; retriable where waiting may help.
        """
        with self._lock:
            if self._token is None or self._clock() >= self._token.renew_s:
                self._token = self._renewed()
            return self._token

    def _renewed(self) -> Token:
        grant = self._obtain()
        if not _TOKEN.fullmatch(grant.text):
            message = f"{grant.origin} holds no bearer token (RFC 6750)"
            raise TransportError(message, retriable=False)
        now_s, claims = self._clock(), _claims(grant.text)
        expires_s = claims.get("exp")
        if not isinstance(expires_s, int | float):
            expires_s = now_s + (grant.life_s or UNKNOWN_LIFE_S)
        left_s = expires_s - now_s
        if left_s <= 0:
            message = f"the token of {grant.origin} expired {-left_s:.0f} s ago"
            raise TransportError(f"{message}; is it renewed, and the clock right?", retriable=True)
        renew_s = expires_s - min(left_s * MARGIN, MARGIN_MAX_S)
        return Token(grant.text, expires_s, renew_s, str(claims.get("sub", "")))


def _claims(text: str) -> dict[str, object]:
    """What a JSON Web Token says of itself; it is for Kafka to believe it."""
    try:
        part = text.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _read(path: str) -> Grant:
    origin = f"RTML_SASL_OAUTH_TOKEN_FILE {path}"
    try:
        with open_file(Path(path)) as file:
            text = file.read(MAX_BYTES).decode("ascii", "replace")
    except OSError as error:
        message = f"{origin} cannot be read: {error.strerror or error}"
        raise TransportError(message, retriable=True) from error
    return Grant(text.strip(), None, origin)


@lru_cache(maxsize=8)
def tokens_of(settings: Settings) -> Tokens:
    """The tokens that these settings lead to."""
    path = settings.sasl_oauth_token_file
    return Tokens((lambda: _read(path)) if path is not None else (lambda: ask(settings)))
