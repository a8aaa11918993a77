"""What is refused: as JSON, with the reason and the way out, and the server goes on."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.graph.support import graph, planned
from tests.web.support import COPY, HOST, Client, Gate, Shelf, served, serving
from worker.web.limits import Limits

LIMITS = Limits(body_bytes=2_000, events=5, read_s=0.3)
PATH = "/services/g/score"
POST = b"POST /services/g/score HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A server with narrow limits."""
    with serving(Shelf.of(served(planned(graph(COPY)))), LIMITS) as asked:
        yield asked


@pytest.fixture(autouse=True)
def _goes_on(client: Client) -> Iterator[None]:
    """Whatever was refused, the next event is scored."""
    yield
    assert client.score("g", b'{"a": 1}').json["status"] == "scored"


def test_an_unknown_path_is_not_found(client: Client) -> None:
    """404; HEAD tells as much without a body."""
    found = client.ask("GET", "/servces")
    assert (found.status, found.json["error"]) == (404, "nothing is at /servces")
    assert "/openapi.json" in found.json["hint"]
    head = client.ask("HEAD", "/servces")
    assert (head.status, head.body) == (404, b"")


def test_another_method_is_not_possible(client: Client) -> None:
    """405 with those that are, in the answer and in Allow; GET has its HEAD."""
    found = client.ask("GET", PATH)
    assert (found.status, found.headers["Allow"]) == (405, "POST")
    assert found.json == {"error": "GET is not possible here", "hint": "possible: POST"}
    assert client.ask("OPTIONS", "/metrics").headers["Allow"] == "GET, HEAD"
    head = client.ask("HEAD", "/services")
    assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize(
    ("headers", "word"),
    [
        ({"Content-Type": "application/x-www-form-urlencoded"}, "x-www-form-urlencoded"),
        ({"Content-Type": "text/plain"}, "text/plain"),
        ({"Content-Type": ""}, "''"),
        ({"Content-Type": "application/json; charset=latin-1"}, "latin-1"),
        ({"Content-Encoding": "gzip"}, "gzip"),
        ({"Content-Encoding": "br, gzip"}, "br, gzip"),
    ],
)
def test_bodies_of_another_kind(client: Client, headers: dict[str, str], word: str) -> None:
    """415, and which kind it has to be."""
    found = client.ask("POST", PATH, b"{}", headers)
    assert (found.status, word in found.json["error"]) == (415, True)
    assert found.json["hint"]


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON;charset=UTF-8", None])
def test_bodies_that_are_json(client: Client, kind: str | None) -> None:
    """In any spelling, and where nothing is said."""
    line = b"" if kind is None else f"Content-Type: {kind}\r\n".encode()
    sent = POST + line + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}"
    assert client.raw(sent).startswith(b"HTTP/1.1 200")


def padded(size: int) -> bytes:
    """An event of exactly so many bytes."""
    return b'{"x": "%b"}' % (b"x" * (size - 9))


def test_the_size_limit_is_exact(client: Client) -> None:
    """The last byte that fits is scored, one more is 413, told before the body is read or not."""
    for size in (LIMITS.body_bytes - 1, LIMITS.body_bytes):
        assert client.score("g", padded(size)).status == 200
    for body in (padded(LIMITS.body_bytes + 1), iter([padded(LIMITS.body_bytes), b" "])):
        found = client.ask("POST", PATH, body)
        assert (found.status, found.json["error"]) == (413, "the body has more than 2000 bytes")
        assert found.headers["Connection"] == "close"
    assert client.ask("POST", PATH, iter([padded(1_000), b" " * 1_000])).status == 200


def test_a_body_that_is_announced_as_endless_is_not_waited_for(client: Client) -> None:
    """413 comes while nothing of it was sent."""
    found = client.raw(POST + b"Content-Length: 99999999999\r\n\r\n")
    assert found.startswith(b"HTTP/1.1 413")


def test_too_many_events(client: Client) -> None:
    """413, and what to do."""
    found = client.score("g", b"[{},{},{},{},{},{}]")
    assert (found.status, found.json["error"]) == (413, "6 events are more than 5")
    assert "RTML_HTTP_MAX_EVENTS" in found.json["hint"]


def test_a_slow_body_is_given_up(client: Client) -> None:
    """408 in JSON, and the connection is closed."""
    with socket.create_connection((HOST, client.port), timeout=30) as connection:
        connection.sendall(POST + b"Content-Length: 9\r\n\r\n{")
        found = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert found.startswith(b"HTTP/1.1 408")
    assert b"the body was not here within 0.3 s" in found


def test_a_slow_head_is_given_up(client: Client) -> None:
    """The connection is closed, however slowly more of it comes; one with a request is kept."""
    with (
        socket.create_connection((HOST, client.port), timeout=30) as kept,
        socket.create_connection((HOST, client.port), timeout=30) as slow,
        socket.create_connection((HOST, client.port), timeout=30) as silent,
    ):
        kept.sendall(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert kept.recv(65_536).startswith(b"HTTP/1.1 200")
        slow.sendall(b"GET /health/live HTTP/1.1\r\nX: ")
        slow.settimeout(0.05)
        begun_s = time.monotonic()
        while True:
            assert time.monotonic() - begun_s < 20
            try:
                slow.sendall(b"x")
                found = slow.recv(65_536)
            except TimeoutError:
                continue
            except OSError:  # reset: what we sent last was not read any more
                found = b""
            break
        assert (found, silent.recv(65_536)) == (b"", b"")
        kept.sendall(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert kept.recv(65_536).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "body",
    [b"", b"id=3", b'{"a": NaN}', b'{"a": 1} {"a": 2}', b"[" * 1_999, b"\xff", b"3", b'"x"'],
)
def test_a_body_that_is_no_event(client: Client, body: bytes) -> None:
    """400; nothing is scored of it."""
    found = client.score("g", body)
    assert (found.status, set(found.json)) == (400, {"error", "hint"})


def test_a_request_that_breaks_the_server_is_told_without_its_insides() -> None:
    """500 says where to look, and nothing of the code."""

    def broken() -> dict[str, object]:
        raise ZeroDivisionError("secret")

    shelf = Shelf()
    with serving(shelf) as other:
        shelf.served = broken  # type: ignore[method-assign, assignment]
        found = other.ask("GET", "/services")
    assert (found.status, found.json) == (
        500,
        {"error": "this request broke the server; its log says why"},
    )


class TestTime:
    """A graph that takes long."""

    @pytest.fixture
    def gate(self) -> Iterator[Gate]:
        """A graph that waits until the test is over."""
        gate = Gate()
        yield gate
        gate.opened.set()

    def test_scoring_that_takes_too_long_is_told(self, gate: Gate) -> None:
        """504 with the limit and the setting; what was asked before and after is not harmed."""
        shelf = Shelf.of(served(gate.plan()), served(planned(graph(COPY)), id="quick"))
        with serving(shelf, Limits(score_s=0.2)) as client:
            found = client.score("g", b'{"a": 1}')
            assert (found.status, found.json["error"]) == (504, "not scored within 0.2 s")
            assert "RTML_HTTP_TIMEOUT_MS" in found.json["hint"]
            assert client.score("quick", b'{"a": 1}').status == 200
            gate.opened.set()

    def test_the_server_answers_while_it_scores(self, gate: Gate) -> None:
        """Whatever the graph does, the event loop is free."""
        with serving(Shelf.of(served(gate.plan()))) as client, ThreadPoolExecutor() as pool:
            scoring = pool.submit(client.score, "g", b'{"a": 1}')
            assert gate.entered.acquire(timeout=30)
            assert client.ask("GET", "/health/live").status == 200
            assert not scoring.done()
            gate.opened.set()
            assert scoring.result(30).json["event"] == {"a": 1, "c": 1.0}

    def test_too_many_at_once_are_told_to_come_again(self, gate: Gate) -> None:
        """503 with Retry-After once every place is taken; those that wait are all answered."""
        limits = Limits(threads=1, places=3)
        with serving(Shelf.of(served(gate.plan())), limits) as client, ThreadPoolExecutor() as pool:
            first = pool.submit(client.score, "g", b"{}")
            assert gate.entered.acquire(timeout=30)
            refused = threading.Semaphore(0)

            def ask() -> int:
                status = client.score("g", b"{}").status
                if status == 503:
                    refused.release()
                return status

            others = [pool.submit(ask) for _ in range(4)]
            for _ in range(2):
                assert refused.acquire(timeout=30)
            found = client.score("g", b"{}")
            assert (found.status, found.headers["Retry-After"]) == (503, "1")
            gate.opened.set()
            statuses = [first.result(30).status, *(other.result(30) for other in others)]
            assert sorted(statuses) == [200, 200, 200, 503, 503]

    def test_a_thread_keeps_its_place_until_it_ends(self, gate: Gate) -> None:
        """Requests whose time is over cannot pile up threads."""
        limits = replace(LIMITS, threads=1, places=1, score_s=0.1)
        with serving(Shelf.of(served(gate.plan())), limits) as client:
            assert client.score("g", b"{}").status == 504
            assert client.score("g", b"{}").status == 503
            gate.opened.set()
            while (status := client.score("g", b"{}").status) == 503:
                continue
            assert status == 200
