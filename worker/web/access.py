"""Who may ask: a token beyond loopback, and never a page of another site."""

from __future__ import annotations

import hmac
import ipaddress
import re
import time
from collections.abc import Callable
from hashlib import sha256

from aiohttp import web
from pydantic import SecretStr

from worker.addresses import is_loopback
from worker.web.answers import Refusal
from worker.web.routes import Handler

WINDOW_S = 60.0
MAX_ADDRESSES = 1_000
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_HOST = re.compile(r"(\[[^\]]*\]|[^:]*)(?::\d+)?")


class Access:
    """Decides about each request before anything of its body is read.

    A server on loopback asks for no token, but only answers to a loopback name: a page whose own
    name was pointed at 127.0.0.1 (DNS rebinding) is refused by its Host. Beyond loopback names
    are anybody's, and what scores or changes something needs the token.

    Attributes:
        local: the server listens on loopback only.
    """

    def __init__(
        self,
        host: str,
        token: SecretStr | None,
        failures: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``failures``: wrong tokens that one address may show in a minute."""
        self.local = is_loopback(host)
        self._token = token
        self._most, self._clock = failures, clock
        self._failed: dict[str, list[float]] = {}

    def check(self, request: web.Request) -> None:
        """Refuses requests that a page of another site makes a browser send.

        Raises:
            Refusal: 400, 403 or 421.
        """
        hosts = request.headers.getall("Host", [])
        if len(hosts) > 1:
            raise Refusal(400, "a request has one Host header", close=True)
        host = hosts[0].strip() if hosts else ""
        if self.local and host and not _names_loopback(host):
            hint = "use 127.0.0.1 or localhost; beyond this machine, set RTML_HTTP_HOST"
            raise Refusal(421, "this server answers to loopback names only", hint=hint, close=True)
        origin = request.headers.get("Origin")
        site = request.headers.get("Sec-Fetch-Site", "none")
        foreign = origin is not None and origin.partition("://")[2].lower() != host.lower()
        if foreign or (site not in ("none", "same-origin") and request.method not in _SAFE):
            told = "requests from pages of other sites are refused"
            raise Refusal(403, told, hint="ask from a program, or from a server", close=True)

    def guarded(self, handler: Handler) -> Handler:
        """The handler, behind the token."""

        async def guard(request: web.Request) -> web.StreamResponse:
            self._check_token(request)
            return await handler(request)

        return guard

    def _check_token(self, request: web.Request) -> None:
        if self.local:
            return
        if self._token is None or not self._token.get_secret_value():
            hint = "set RTML_TOKEN for the worker, and send Authorization: Bearer <token>"
            raise Refusal(403, "beyond loopback this needs a token", hint=hint, close=True)
        address = _network(request.remote)
        if self._locked(address):
            raise Refusal(
                429,
                "too many wrong tokens from this address",
                hint="wait a minute",
                headers={"Retry-After": str(int(WINDOW_S))},
                close=True,
            )
        scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _same(shown.strip(), self._token.get_secret_value()):
            return
        if shown:
            self._note(address)
        raise Refusal(
            401,
            "the token is missing or wrong",
            hint="send Authorization: Bearer <RTML_TOKEN of the worker>",
            headers={"WWW-Authenticate": 'Bearer realm="rtml"'},
            close=True,
        )

    def _locked(self, address: str) -> bool:
        since = self._clock() - WINDOW_S
        recent = [at for at in self._failed.get(address, []) if at > since]
        if not recent:
            self._failed.pop(address, None)
        return len(recent) >= self._most

    def _note(self, address: str) -> None:
        failed = self._failed.pop(address, [])[-self._most + 1 :]
        self._failed[address] = [*failed, self._clock()]
        if len(self._failed) > MAX_ADDRESSES:
            del self._failed[next(iter(self._failed))]  # whose last failure is longest ago


def _names_loopback(host: str) -> bool:
    found = _HOST.fullmatch(host)
    return found is not None and is_loopback(found[1])


def _same(shown: str, token: str) -> bool:
    """In constant time; the digests are of one length, so that none is told."""
    digests = [sha256(text.encode("utf-8", "surrogateescape")).digest() for text in (shown, token)]
    return hmac.compare_digest(*digests)


def _network(remote: str | None) -> str:
    """The address; of IPv6 the first 64 bits, which one user has all of."""
    try:
        address = ipaddress.ip_address(remote or "")
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.IPv6Network((address, 64), strict=False))
