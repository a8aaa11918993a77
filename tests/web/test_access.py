"""Who may ask: tokens beyond loopback, and no pages of other sites."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from aiohttp.test_utils import make_mocked_request
from pydantic import SecretStr

from tests.graph.support import graph, planned
from tests.web.support import COPY, Client, Shelf, served, serving
from worker.addresses import is_loopback
from worker.web import access
from worker.web.access import MAX_ADDRESSES, WINDOW_S, Access
from worker.web.answers import Refusal
from worker.web.limits import Limits

TOKEN = "correct horse battery staple"
PATH = "/services/g/score"
SHELF = Shelf.of(served(planned(graph(COPY))))


@pytest.fixture(scope="module")
def local() -> Iterator[Client]:
    """A server on loopback."""
    with serving(SHELF) as client:
        yield client


@pytest.fixture
def opened() -> Iterator[Client]:
    """A server on every address, with a token."""
    with serving(SHELF, Limits(failures=3), http_host="0.0.0.0", token=TOKEN) as client:
        yield client


def shown(client: Client, authorization: str | None, path: str = PATH) -> int:
    """The status of a request with this token."""
    headers = {} if authorization is None else {"Authorization": authorization}
    body = b'{"a": 1}' if path == PATH else b'{"inputs": []}'
    return client.ask("POST", path, body, headers).status


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("a.localhost", True),
        ("::ffff:127.0.0.1", False),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        ("10.0.0.1", False),
        ("worker", False),
        ("localhost.example.org", False),
        ("127.0.0.1.example.org", False),
        ("2130706433", False),
    ],
)
def test_what_loopback_is(host: str, *, local: bool) -> None:
    """Addresses and names that lead nowhere else; in doubt it is not."""
    assert is_loopback(host) == local


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:6066", "localhost:1", "[::1]:6066", "x.localhost", "LocalHost"]
)
def test_loopback_answers_to_its_names(local: Client, host: str) -> None:
    """On loopback no token is needed."""
    assert local.ask("POST", PATH, b"{}", {"Host": host}).status == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:6066", "10.0.0.1", "a@localhost"])
@pytest.mark.parametrize("path", ["/services", "/", "/metrics", "/nothing"])
def test_a_name_that_was_pointed_here_is_refused(local: Client, host: str, path: str) -> None:
    """DNS rebinding: the page's own name reaches us as Host; nothing is told to it."""
    found = local.ask("GET", path, headers={"Host": host})
    assert (found.status, "RTML_HTTP_HOST" in found.json["hint"]) == (421, True)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_pages_of_other_sites_are_refused(local: Client, headers: dict[str, str]) -> None:
    """403, and no header that would let the page read an answer."""
    found = local.ask("POST", PATH, b"{}", headers)
    assert (found.status, "other sites" in found.json["error"]) == (403, True)
    assert [name for name in found.headers if name.startswith("Access-Control")] == []


def test_our_own_page_may_ask(local: Client) -> None:
    """Same origin; and a link from elsewhere may open the page."""
    own = {"Origin": f"http://127.0.0.1:{local.port}", "Sec-Fetch-Site": "same-origin"}
    assert local.ask("POST", PATH, b"{}", own).status == 200
    assert local.ask("GET", "/", headers={"Sec-Fetch-Site": "cross-site"}).status == 200


def test_beyond_loopback_the_token_is_needed(opened: Client) -> None:
    """401 without it or with another one, 200 with it; for the Open Inference Protocol as well."""
    assert shown(opened, None) == 401
    assert shown(opened, f"Basic {TOKEN}") == 401
    assert shown(opened, f"Bearer {TOKEN}") == 200
    assert shown(opened, f"bearer  {TOKEN} ") == 200
    assert shown(opened, None, "/v2/models/g/infer") == 401
    assert shown(opened, f"Bearer {TOKEN}", "/v2/models/g/infer") == 400
    assert opened.ask("POST", PATH, b"{}").headers["WWW-Authenticate"].startswith("Bearer")


def test_beyond_loopback_whatever_is_no_get_needs_the_token(opened: Client) -> None:
    """No route that scores or changes something is left open, those of the services included."""
    paths = opened.ask("GET", "/openapi.json").json["paths"]
    asked = [
        (method.upper(), path.replace("{", "").replace("}", ""))
        for path, methods in paths.items()
        for method in methods
        if method not in ("get", "head")
    ]
    assert {method for method, _ in asked} == {"POST", "PUT", "DELETE"}
    assert {opened.ask(method, path, b"{}").status for method, path in asked} == {401}


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/services", "/"])
def test_beyond_loopback_what_only_tells_is_open(opened: Client, path: str) -> None:
    """Probes and Prometheus have no token, and come under any name."""
    assert opened.ask("GET", path, headers={"Host": "worker.example:6066"}).status == 200


def test_wrong_tokens_are_limited(opened: Client) -> None:
    """After so many in a minute the address is refused unheard, the right token included."""
    assert [shown(opened, f"Bearer {i}") for i in range(4)] == [401, 401, 401, 429]
    assert shown(opened, f"Bearer {TOKEN}") == 429
    assert shown(opened, None) == 429


def test_a_missing_token_is_no_guess(opened: Client) -> None:
    """Who shows none is not counted, so that a misconfigured client does not lock out others."""
    assert [shown(opened, None) for _ in range(5)] == [401] * 5
    assert shown(opened, f"Bearer {TOKEN}") == 200


@pytest.mark.parametrize("token", [None, ""])
def test_without_a_token_set_nobody_may(token: str | None) -> None:
    """403 says what to set; an empty token is none."""
    with serving(SHELF, http_host="0.0.0.0", token=token) as client:
        for authorization in (None, "Bearer ", f"Bearer {TOKEN}"):
            assert shown(client, authorization) == 403
        assert "RTML_TOKEN" in client.ask("POST", PATH, b"{}").json["hint"]


def test_tokens_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """By digests of one length, through the function that is made for it."""
    seen: list[tuple[bytes, bytes]] = []

    def noted(one: bytes, other: bytes) -> bool:
        seen.append((one, other))
        return one == other

    monkeypatch.setattr(access.hmac, "compare_digest", noted)
    with serving(SHELF, http_host="0.0.0.0", token=TOKEN) as client:
        assert [shown(client, f"Bearer {text}") for text in ("x", TOKEN)] == [401, 200]
    assert [(len(one), len(other)) for one, other in seen] == [(32, 32), (32, 32)]


class TestWindow:
    """How long wrong tokens are remembered."""

    now_s = 0.0

    def refused(self, guard: Access, address: str) -> int:
        """The status of a wrong token from an address."""
        request = make_mocked_request("POST", "/", {"Authorization": "Bearer x"})
        request = request.clone(remote=address)
        with pytest.raises(Refusal) as caught:
            guard._check_token(request)
        return caught.value.status

    def guard(self) -> Access:
        """Two wrong tokens a minute, on the test's own clock."""
        return Access("0.0.0.0", SecretStr(TOKEN), 2, lambda: self.now_s)

    def test_it_is_over_after_a_minute(self) -> None:
        """And not before."""
        guard = self.guard()
        assert [self.refused(guard, "10.0.0.1") for _ in range(3)] == [401, 401, 429]
        self.now_s = WINDOW_S - 0.01
        assert self.refused(guard, "10.0.0.1") == 429
        self.now_s = WINDOW_S
        assert [self.refused(guard, "10.0.0.1") for _ in range(3)] == [401, 401, 429]

    def test_each_address_has_its_own(self) -> None:
        """Of IPv6 one network, which one user has all of."""
        guard = self.guard()
        assert [self.refused(guard, f"2001:db8::{i}") for i in range(3)] == [401, 401, 429]
        assert self.refused(guard, "2001:db8:0:1::1") == 401
        assert self.refused(guard, "10.0.0.1") == 401

    @pytest.mark.long
    def test_memory_is_bounded(self) -> None:
        """Many addresses push out the one that was silent for longest."""
        guard = self.guard()
        for i in range(MAX_ADDRESSES + 10):
            self.refused(guard, f"10.1.{i // 256}.{i % 256}")
        assert len(guard._failed) == MAX_ADDRESSES
        assert "10.1.0.0" not in guard._failed
