"""Tokens: got once for all clients, renewed before they expire, and asked for safely."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import Authority
from tests.identity import Identity
from worker.errors import TransportError
from worker.settings import Settings, load
from worker.stream import tokens
from worker.stream.token_endpoint import Grant, ask
from worker.stream.tokens import Tokens, tokens_of

SECRET = "s3cr3t/w+rd:%"


@pytest.fixture
def identity(tmp_path: Path) -> Iterator[Identity]:
    """A server that knows one client."""
    with Identity(tmp_path) as server:
        server.clients["worker"] = SECRET
        yield server


def settings(url: str, **given: str) -> Settings:
    """Of a client that the server knows."""
    variables = {
        "RTML_SECURITY_PROTOCOL": "SASL_SSL",
        "RTML_SASL_MECHANISM": "OAUTHBEARER",
        "RTML_SASL_OAUTH_TOKEN_URL": url,
        "RTML_SASL_OAUTH_CLIENT_ID": "worker",
        "RTML_SASL_OAUTH_CLIENT_SECRET": SECRET,
        **given,
    }
    return load(variables, {})[0]


def refusal(wanted: Settings) -> TransportError:
    """Why there is no token; the secret is never a part of it."""
    with pytest.raises(TransportError) as caught:
        ask(wanted)
    assert SECRET not in str(caught.value)
    return caught.value


class TestLife:
    """When another token is asked for."""

    now_s = 1_000.0

    def made(self, *grants: Grant) -> tuple[Tokens, list[Grant]]:
        """Tokens that are given out one by one, on the test's own clock; what is left of them."""
        left = list(grants)
        return Tokens(lambda: left.pop(0), lambda: self.now_s), left

    def test_it_is_renewed_before_it_expires(self) -> None:
        """At a fifth of its life, and not before."""
        found, left = self.made(Grant("a", 100.0, "x"), Grant("b", 100.0, "x"))
        assert (found.current().text, found.current().text) == ("a", "a")
        self.now_s = 1_079.9
        assert (found.current().text, len(left)) == ("a", 1)
        self.now_s = 1_080.0
        assert found.current().text == "b"

    def test_a_long_life_ends_a_minute_early(self) -> None:
        """Nobody keeps a day's token for the last five hours."""
        found, _ = self.made(Grant("a", 86_400.0, "x"))
        assert found.current().renew_s == 1_000.0 + 86_400.0 - 60.0

    def test_a_web_token_says_when_it_expires(self, identity: Identity) -> None:
        """And whom it names."""
        grant = Grant(identity.token("worker", 30.0), None, "x")
        token = Tokens(lambda: grant).current()
        assert (token.principal, token.text) == ("worker", grant.text)
        assert 0 < token.expires_s - token.renew_s <= 6.0

    def test_one_that_does_not_say_is_asked_for_again(self) -> None:
        """After a minute at most: whoever renews the file says nothing of it."""
        found, _ = self.made(Grant("opaque", None, "x"), Grant("next", None, "x"))
        found.current()
        self.now_s += 60.0
        assert found.current().text == "next"

    def test_one_that_has_expired_is_waited_for(self, identity: Identity) -> None:
        """It may be renewed a moment later."""
        found = Tokens(lambda: Grant(identity.token("worker", -5.0), None, "token file t"))
        with pytest.raises(
            TransportError, match=r"the token of token file t expired \d s ago"
        ) as c:
            found.current()
        assert c.value.retriable

    @pytest.mark.parametrize("text", ["", "a b", "a\x01auth=Bearer b", "a\r\nb", "ä"])
    def test_what_is_no_token_is_not_sent(self, text: str) -> None:
        """A character that ends the message would begin another one."""
        with pytest.raises(TransportError, match="no bearer token"):
            Tokens(lambda: Grant(text, None, "x")).current()

    def test_threads_share_one(self, identity: Identity) -> None:
        """All clients of a worker ask at once when it starts: the server is asked once."""
        found = tokens_of(settings(identity.url))
        threads = [threading.Thread(target=found.current) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert identity.given == 1

    def test_it_is_shown_nowhere(self) -> None:
        """What prints the object does not print the token."""
        found, _ = self.made(Grant("opaque", None, "x"))
        assert "opaque" not in repr(found.current())


def test_a_file_is_read_again_when_its_token_is_over(
    tmp_path: Path, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Kubernetes renews those that it puts into a pod."""
    file = tmp_path / "token"
    found = tokens_of(
        Settings(
            security_protocol="SASL_SSL",
            sasl_mechanism="OAUTHBEARER",
            sasl_oauth_token_file=str(file),
        )
    )
    with pytest.raises(TransportError, match=r"_FILE .*token cannot be read: No such file") as c:
        found.current()
    assert c.value.retriable
    file.write_text(identity.token("first", 0.0001 + 60.0) + "\n")
    assert found.current().principal == "first"
    file.write_text(identity.token("second"))
    assert found.current().principal == "first"
    monkeypatch.setattr(found, "_clock", lambda: tokens.time.time() + 59.0)
    assert found.current().principal == "second"


def test_the_server_is_asked_as_the_standard_says(identity: Identity) -> None:
    """Id and secret in the header, quoted; the scope in the form, nothing in the URL."""
    grant = ask(settings(identity.url, RTML_SASL_OAUTH_SCOPE="kafka write"))
    assert (grant.life_s, identity.given) == (300.0, 1)
    assert identity.asked == [{"grant_type": ["client_credentials"], "scope": ["kafka write"]}]
    ask(settings(identity.url))
    assert identity.asked[1] == {"grant_type": ["client_credentials"]}


def test_a_wrong_secret_is_refused_for_good(identity: Identity) -> None:
    """With the server's own words, and what to look at."""
    identity.clients["worker"] = "other"
    found = refusal(settings(identity.url))
    assert (found.retriable, str(found)) == (
        False,
        f"the token endpoint {identity.url} answered 401 (invalid_client: who is there?); "
        "check RTML_SASL_OAUTH_CLIENT_ID, _CLIENT_SECRET and _SCOPE",
    )


@pytest.mark.parametrize(
    ("answer", "word", "retriable"),
    [
        ((503, b"busy"), "answered 503", True),
        ((429, b"{}"), "answered 429", True),
        ((302, b""), "answered 302", False),
        ((307, b""), "answered 307", False),
        ((400, json.dumps({"error": f"no {SECRET} here"}).encode()), "(no *** here)", False),
        ((400, json.dumps({"error": "a\x1b[2Jb"}).encode()), "answered 400;", False),
        ((200, b"<html>"), "no access_token", False),
        ((200, b"[]"), "no access_token", False),
        ((200, b'{"access_token": 3}'), "no access_token", False),
    ],
)
def test_answers_that_hold_no_token(
    identity: Identity, answer: tuple[int, bytes], word: str, *, retriable: bool
) -> None:
    """Asked again only where the server may be busy; a redirect never gets to see the secret."""
    identity.answers.append(answer)
    found = refusal(settings(identity.url))
    assert (word in str(found), found.retriable, len(identity.asked)) == (True, retriable, 1)


def test_a_server_that_is_away_is_waited_for() -> None:
    """It is named, with the reason."""
    found = refusal(settings("http://127.0.0.1:1/token"))
    assert (found.retriable, "127.0.0.1:1/token cannot be reached" in str(found)) == (True, True)


def test_a_server_must_be_who_it_says(tmp_path: Path, identity: Identity) -> None:
    """Over TLS its certificate is looked at; the CA file makes it known."""
    authority = Authority(tmp_path)
    issued = authority.issue("identity")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    socket: Any = identity._server.socket
    identity._server.socket = context.wrap_socket(socket, server_side=True)
    url = identity.url.replace("http:", "https:")
    found = refusal(settings(url))
    assert (found.retriable, "RTML_SSL_CAFILE" in str(found), identity.asked) == (False, True, [])
    assert ask(settings(url, RTML_SSL_CAFILE=str(authority.file))).text
