"""The wire between a client and a server: what goes through, what waits, what is cut."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import pytest

from faults.wire import Wire

SILENT_S = 0.3
DELAY_S = 0.2
PATIENCE_S = 20.0


class _Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(65_536):
            self.request.sendall(data)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A wire to a server that sends back what it gets."""
    with _Server(("127.0.0.1", 0), _Echo) as server, Wire() as made:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made.start(f"127.0.0.1:{server.server_address[1]}")
        yield made
        server.shutdown()


def connected(wire: Wire) -> socket.socket:
    """A client of it."""
    return socket.create_connection(("127.0.0.1", wire.port), timeout=PATIENCE_S)


def answer(client: socket.socket, said: bytes) -> bytes:
    """What comes back; raises TimeoutError where nothing does for a moment."""
    client.sendall(said)
    return client.recv(100)


def test_what_is_said_is_heard(wire: Wire) -> None:
    """At once, or so much later as was asked for."""
    with connected(wire) as client:
        assert answer(client, b"a") == b"a"
        wire.delay_s = DELAY_S
        began_s = time.monotonic()
        assert answer(client, b"b") == b"b"
        assert time.monotonic() - began_s >= 2 * DELAY_S


def test_a_slow_wire_takes_its_time(wire: Wire) -> None:
    """So many bytes a second, and no more."""
    wire.bytes_per_s = 100
    with connected(wire) as client:
        began_s = time.monotonic()
        assert answer(client, b"x" * 30) == b"x" * 30
        assert time.monotonic() - began_s >= 0.6


def test_a_black_hole_gives_back_what_it_held(wire: Wire) -> None:
    """Nothing comes while it lasts, for a new client neither; all of it afterwards."""
    with connected(wire) as client:
        assert answer(client, b"a") == b"a"
        wire.hold()
        with connected(wire) as other:
            for one in (client, other):
                one.settimeout(SILENT_S)
                with pytest.raises(TimeoutError):
                    answer(one, b"b")
                one.settimeout(PATIENCE_S)
            wire.release()
            assert [client.recv(1), other.recv(1)] == [b"b", b"b"]


def test_a_half_open_connection_stays_silent(wire: Wire) -> None:
    """It is neither answered nor closed; who connects again is answered."""
    with connected(wire) as client:
        assert answer(client, b"a") == b"a"
        wire.orphan()
        client.settimeout(SILENT_S)
        with pytest.raises(TimeoutError):
            answer(client, b"b")
    with connected(wire) as other:
        assert answer(other, b"c") == b"c"


def test_a_reset_ends_a_connection(wire: Wire) -> None:
    """The client is told; who connects again is answered."""
    with connected(wire) as client:
        assert answer(client, b"a") == b"a"
        wire.reset()
        try:
            told = client.recv(1)
        except ConnectionError:
            told = b""
        assert told == b""
    with connected(wire) as other:
        assert answer(other, b"c") == b"c"
