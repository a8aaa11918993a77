"""Requests that one reader would split in another place than the next: refused, and closed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.graph.support import graph, planned
from tests.web.support import COPY, Client, Shelf, served, serving

POST = b"POST /services/g/score HTTP/1.1\r\nHost: localhost\r\n"
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A server with one graph."""
    with serving(Shelf.of(served(planned(graph(COPY))))) as asked:
        yield asked


@pytest.mark.parametrize(
    "sent",
    [
        POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
        POST + b"Content-Length: 2\r\nContent-Length: 60\r\n\r\n{}" + HIDDEN,
        POST + b"Content-Length: 2, 60\r\n\r\n{}" + HIDDEN,
        POST + b"Content-Length: +2\r\n\r\n{}" + HIDDEN,
        POST + b"Content-Length: -2\r\n\r\n{}" + HIDDEN,
        POST + b"Content-Length: 0x2\r\n\r\n{}" + HIDDEN,
        POST + b"Content-Length : 2\r\n\r\n{}" + HIDDEN,
        POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
        POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + HIDDEN,
        POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n" + HIDDEN,
        POST + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n{}" + HIDDEN,
        POST + b"Transfer-Encoding: chunked\r\n\r\n2;\nx\r\n{}\r\n0\r\n\r\n" + HIDDEN,
        POST + b" folded: header\r\nContent-Length: 2\r\n\r\n{}" + HIDDEN,
        POST + b"Bad Header: 1\r\nContent-Length: 2\r\n\r\n{}" + HIDDEN,
        POST + b"X: a\0b\r\nContent-Length: 2\r\n\r\n{}" + HIDDEN,
        POST + b"X: " + b"a" * 20_000 + b"\r\nContent-Length: 2\r\n\r\n{}" + HIDDEN,
        b"POST /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n" + HIDDEN,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + HIDDEN,
        POST + b"Host: localhost\r\nContent-Length: 2\r\n\r\n{}" + HIDDEN,
    ],
)
def test_an_ambiguous_request_is_refused(client: Client, sent: bytes) -> None:
    """One answer, 400, and the connection is closed: the hidden request is never seen."""
    found = client.raw(sent)
    assert found.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))
    assert found.count(b"HTTP/1.") == 1
    assert b"/hidden" not in found.replace(b"GET /hidden HTTP/1.1", b"")
    assert b"Traceback" not in found
    assert client.ask("GET", "/health/live").status == 200


def test_what_follows_a_whole_request_is_the_next_one(client: Client) -> None:
    """Requests that are sent together are answered one after the other."""
    last = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    found = client.raw(POST + b"Content-Length: 8\r\n\r\n" + b'{"a": 1}' + last)
    assert found.count(b"HTTP/1.1 200") == 2


def test_the_rest_of_a_refused_body_is_no_request(client: Client) -> None:
    """After a refusal that has not read the body the connection is closed."""
    kind = b"Content-Type: text/plain\r\n"
    found = client.raw(POST + kind + b"Content-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN)
    assert (found.count(b"HTTP/1.1"), found[:12]) == (1, b"HTTP/1.1 415")


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: x", "a\nb"])
def test_an_answer_cannot_be_split(client: Client, value: str) -> None:
    """What stands in a path comes back inside JSON only."""
    quoted = "".join(f"%{byte:02x}" for byte in value.encode())
    found = client.score(quoted, b"{}")
    assert (found.status, "Set-Cookie" in found.headers) == (404, False)
