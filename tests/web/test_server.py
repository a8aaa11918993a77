"""The HTTP server by itself: routes, ports, ends."""

from __future__ import annotations

import asyncio
import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from prometheus_client import CollectorRegistry, Counter

from tests.web.support import Shelf
from worker.errors import ConfigError
from worker.settings import HTTP_STOP_TIMEOUT_S, Settings
from worker.web.server import DEFAULT_PORT, Web

HOST = "127.0.0.1"
REASONS = ["fraud: has not joined group 'g' yet", "fraud: Kafka has not answered for 12 s"]


def fetch(port: int, path: str, body: bytes | None = None) -> tuple[int, str, str]:
    """Status, content type and text of an answer."""
    url = f"http://{HOST}:{port}{path}"
    try:
        with urllib.request.urlopen(url, data=body, timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()


def asked(web: Web, *calls: Callable[[int], tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    """The answers to calls, made while the server runs."""

    async def run() -> list[tuple[int, str, str]]:
        await web.start()
        try:
            return [await asyncio.to_thread(call, web.port) for call in calls]
        finally:
            await web.stop()

    return asyncio.run(run())


def server(port: int | None = 0, reasons: list[str] | None = None) -> Web:
    """A server with one counter; port 0 is any."""
    registry = CollectorRegistry()
    Counter("rtml_events_received", "Events read", registry=registry).inc(3)
    return Web(Settings(http_port=port), registry, lambda: reasons or [], Shelf())


@contextmanager
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_it_is_alive_whatever_the_reasons() -> None:
    """Liveness is 200 as long as the process answers."""
    ((status, kind, text),) = asked(server(reasons=REASONS), lambda p: fetch(p, "/health/live"))
    assert (status, json.loads(text)) == (200, {"live": True})
    assert kind.startswith("application/json")


@pytest.mark.parametrize(
    ("reasons", "status"), [([], 200), (REASONS, 503)], ids=["ready", "not ready"]
)
def test_readiness_tells_every_reason(reasons: list[str], status: int) -> None:
    """200 without a reason, 503 with all of them."""
    ((found, _, text),) = asked(server(reasons=reasons), lambda p: fetch(p, "/health/ready"))
    assert (found, json.loads(text)) == (status, {"ready": not reasons, "reasons": reasons})


def test_metrics_are_what_prometheus_reads() -> None:
    """The text format, with its own content type."""
    ((status, kind, text),) = asked(server(), lambda p: fetch(p, "/metrics"))
    assert (status, kind.split(";")[0]) == (200, "text/plain")
    assert "rtml_events_received_total 3.0" in text


def test_a_port_that_was_asked_for_and_is_taken_is_refused() -> None:
    """The error names the place and the setting, and nothing is left behind."""
    with taken() as port, pytest.raises(ConfigError, match=rf"{HOST}:{port}.*RTML_HTTP_PORT"):
        asked(server(port))


@pytest.mark.parametrize("host", ["192.0.2.1", "no host"])
def test_an_address_that_is_not_ours_is_refused(host: str) -> None:
    """An address of another machine, or of none, is told at the setting of the host."""
    web = Web(Settings(http_host=host), CollectorRegistry(), list, Shelf())
    said = rf"RTML_HTTP_HOST: cannot listen on {host}:\d+: .+; give an address"
    with pytest.raises(ConfigError, match=said):
        asked(web)


def test_without_a_wish_a_taken_port_moves_on() -> None:
    """A second replica on a machine takes the next free port."""

    async def run() -> list[int]:
        first, second = server(None), server(None)
        await first.start()
        await second.start()
        found = [first.port, second.port]
        answers = [await asyncio.to_thread(fetch, port, "/health/live") for port in found]
        await first.stop()
        await second.stop()
        assert [status for status, *_ in answers] == [200, 200]
        return found

    first, second = asyncio.run(run())
    assert DEFAULT_PORT <= first < second


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /health/live HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
    ],
    ids=["kept connection", "endless body"],
)
def test_a_client_that_stays_does_not_hold_the_stop(sent: bytes) -> None:
    """A connection that is kept, or whose body never ends, is closed by us within the bound."""

    async def run() -> float:
        web = server()
        await web.start()
        reader, writer = await asyncio.open_connection(HOST, web.port)
        writer.write(sent)
        await reader.readuntil(b"\r\n\r\n")
        began_s = time.monotonic()
        await web.stop()
        writer.close()
        return time.monotonic() - began_s

    assert asyncio.run(run()) < HTTP_STOP_TIMEOUT_S + 1


def test_the_port_is_free_again_after_the_end() -> None:
    """Nobody listens once the server has stopped."""
    web = server()
    asked(web)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, web.port), timeout=10)
