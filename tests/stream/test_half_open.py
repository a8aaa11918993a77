"""Connections that never answer, on the worker's own event loop, beside others that do."""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiokafka.conn import create_conn
from aiokafka.errors import RequestTimedOutError
from aiokafka.protocol.group import HeartbeatRequest, JoinGroupRequest
from aiokafka.protocol.metadata import MetadataRequest

from tests.certificates import Authority
from worker import loop
from worker.stream import half_open, silence
from worker.stream.connection import Connection, install

LOOK_S, PATIENCE_S = 0.02, 0.4
TIMEOUT_S = 30.0
API_VERSIONS = 18
# The answer to ApiVersions, version 0: no error; Metadata, JoinGroup and Heartbeat in 0 and 1.
VERSIONS = struct.pack(">hi", 0, 4) + b"".join(
    struct.pack(">hhh", key, 0, most) for key, most in ((3, 1), (11, 1), (12, 1), (API_VERSIONS, 0))
)
# The answer to Metadata, version 1: no brokers, no controller, no topics.
NOTHING_THERE = struct.pack(">iii", 0, -1, 0)

Answer = Callable[[asyncio.StreamWriter, bytes], Awaitable[None]]
Open = Callable[[], Awaitable[Connection]]


@dataclass
class Broker:
    """Tells clients its versions, and no more by default.

    Attributes:
        welcoming: while set, new connections are let in.
        deaf: it answers the first request of a connection only.
        answer: how it answers a request for anything but its versions.
        accepted: connections so far.
        read: bytes of requests that came, of all connections.
        told: how often it told its versions.
        reading: while set, further requests of the first connection are read.
        serving: a task for each connection.
        ends: what ended each, in that order.
    """

    welcoming: asyncio.Event = field(default_factory=asyncio.Event)
    deaf: bool = False
    answer: Answer | None = None
    accepted: int = 0
    told: int = 0
    read: int = 0
    reading: asyncio.Event = field(default_factory=asyncio.Event)
    serving: list[asyncio.Task[None]] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one client until it closes."""
        task = asyncio.current_task()
        assert task is not None
        self.serving.append(task)
        self.accepted += 1
        first = self.accepted == 1
        try:
            await self.welcoming.wait()
            _, correlation_id = await self._request(reader)
            await self._tell(writer, correlation_id)
            while True:
                if first:
                    await self.reading.wait()
                key, correlation_id = await self._request(reader)
                if key == API_VERSIONS and not self.deaf:
                    await self._tell(writer, correlation_id)
                elif self.answer is not None:
                    await self.answer(writer, correlation_id)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            self.ends.append(type(error).__name__)
        writer.close()

    async def _tell(self, writer: asyncio.StreamWriter, correlation_id: bytes) -> None:
        self.told += 1
        await write(writer, correlation_id + VERSIONS)

    async def _request(self, reader: asyncio.StreamReader) -> tuple[int, bytes]:
        size = int.from_bytes(await reader.readexactly(4))
        head = await reader.readexactly(8)
        left = size - len(head)
        while left:
            piece = await reader.read(left)
            if not piece:
                raise asyncio.IncompleteReadError(b"", left)
            left -= len(piece)
            self.read += len(piece)
        return int.from_bytes(head[:2]), head[4:]


async def write(writer: asyncio.StreamWriter, answer: bytes) -> None:
    """An answer with its length."""
    writer.write(struct.pack(">i", len(answer)) + answer)
    await writer.drain()


async def until(holds: Callable[[], bool]) -> None:
    """Returns once it does."""
    async with asyncio.timeout(TIMEOUT_S):
        while not holds():  # noqa: ASYNC110 - what it waits for has no event
            await asyncio.sleep(LOOK_S / 4)


def play(script: Callable[[Broker, Open], Awaitable[None]], folder: Path | None = None) -> None:
    """Runs it with a broker and a way to connect to it; ``folder``: by TLS."""
    install()
    inner, outer = _contexts(folder) if folder is not None else (None, None)

    async def run() -> None:
        broker, made = Broker(), list[Connection]()
        broker.welcoming.set()
        broker.reading.set()
        server = await asyncio.start_server(broker.accept, "127.0.0.1", 0, ssl=inner)
        host, port = server.sockets[0].getsockname()
        protocol = "PLAINTEXT" if outer is None else "SSL"

        async def opened() -> Connection:
            made.append(
                await create_conn(host, port, security_protocol=protocol, ssl_context=outer)
            )
            return made[-1]

        async with server:
            try:
                await script(broker, opened)
            finally:
                for one in made:
                    one.close()
                broker.welcoming.set()
                broker.reading.set()
                await asyncio.gather(*broker.serving)

    with asyncio.Runner(loop_factory=loop.new_event_loop) as runner:
        runner.run(run())


def _contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    authority = Authority(folder)
    inner = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    inner.load_cert_chain(authority.issue("broker").both)
    return inner, ssl.create_default_context(cafile=str(authority.file))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times in small; how many looks make up a patience is what matters."""
    monkeypatch.setattr(silence, "SLOWEST_BYTES_PER_S", 1e12)
    for module in (half_open, silence):
        monkeypatch.setattr(module, "LOOK_S", LOOK_S)
        monkeypatch.setattr(module, "PATIENCE_S", PATIENCE_S)


def ask(one: Connection) -> asyncio.Future[object]:
    """For its metadata."""
    return asyncio.ensure_future(one.send(MetadataRequest([])))


@pytest.mark.parametrize("tls", [False, True])
def test_what_does_not_answer_is_closed_where_a_new_one_is_let_in(
    tmp_path: Path, tls: bool
) -> None:
    """An idle one that was as quiet goes with it, one that is newer stays."""

    async def script(broker: Broker, opened: Open) -> None:
        dead, idle = await opened(), await opened()
        broker.welcoming.clear()
        asked = ask(dead)
        await until(lambda: broker.accepted == 3)  # the probe has come
        newer = asyncio.ensure_future(opened())
        broker.welcoming.set()
        with pytest.raises(RequestTimedOutError):
            await asyncio.wait_for(asked, TIMEOUT_S)
        assert not dead.connected()
        assert not idle.connected()
        assert (await newer).connected()

    play(script, tmp_path if tls else None)


def test_nothing_of_it_arrives_later() -> None:
    """What it owes is asked anew; an old request that comes after that would be a second one."""
    topics = ["x" * 30_000] * 300

    async def script(broker: Broker, opened: Open) -> None:
        broker.reading.clear()
        dead = await opened()
        asked = asyncio.ensure_future(dead.send(MetadataRequest(topics)))
        with pytest.raises(RequestTimedOutError):
            await asyncio.wait_for(asked, TIMEOUT_S)
        await until(dead._closed_fut.done)  # without another byte
        broker.reading.set()
        await broker.serving[0]
        assert broker.read < len(topics) * len(topics[0])
        assert broker.ends[-1] == "ConnectionResetError"

    play(script)


@pytest.mark.parametrize("deaf", [False, True])
def test_a_connection_stays_where_no_new_one_is_served(
    monkeypatch: pytest.MonkeyPatch, deaf: bool
) -> None:
    """The broker is away or slow; it is tried again, and what was sent may still arrive.

    A broker that still lets clients in, as long as a login goes, may not answer more.
    """
    monkeypatch.setattr(half_open, "PROBE_TIMEOUT_S", PATIENCE_S / 2)

    async def script(broker: Broker, opened: Open) -> None:
        held, other = await opened(), await opened()
        broker.deaf = deaf
        if not deaf:
            broker.welcoming.clear()
        asked = [ask(held), ask(other)]
        await until(lambda: broker.accepted == 3)
        await asyncio.sleep(PATIENCE_S / 2)
        assert broker.accepted == 3  # for both of them
        await until(lambda: broker.accepted == 4)
        assert [held.connected(), other.connected()] == [True, True]
        for one in asked:
            assert not one.done()
            one.cancel()

    play(script)


def test_a_broker_that_is_slow_with_one_kind_of_request_is_given_more_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It lets new ones in at once: closing them again and again would make it slower still."""
    monkeypatch.setattr(silence, "SAME_S", 0.0)

    async def script(_: Broker, opened: Open) -> None:
        now_s = asyncio.get_running_loop().time
        took_s = []
        for _ in range(3):
            began_s = now_s()
            with pytest.raises(RequestTimedOutError):
                await asyncio.wait_for(ask(await opened()), TIMEOUT_S)
            took_s.append(now_s() - began_s)
        assert took_s[1] > 2 * PATIENCE_S
        assert took_s[2] > 4 * PATIENCE_S

    play(script)


def test_a_connection_stays_where_it_is_answered_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that has come back may let the new one in before it answers the old one."""
    monkeypatch.setattr(half_open, "SECOND_LOOKS", 50)

    async def script(broker: Broker, opened: Open) -> None:
        broker.reading.clear()
        held = await opened()
        broker.welcoming.clear()
        broker.answer = lambda writer, correlation_id: write(writer, correlation_id + NOTHING_THERE)
        asked = ask(held)
        await until(lambda: broker.accepted == 2)
        broker.welcoming.set()
        await until(lambda: broker.told == 3)  # the probe has been let in
        await asyncio.sleep(10 * LOOK_S)
        broker.reading.set()
        await asyncio.wait_for(asked, TIMEOUT_S)
        assert held.connected()

    play(script)


def test_a_connection_stays_while_an_answer_trickles_in() -> None:
    """A slow line is not a dead one."""

    async def drip(writer: asyncio.StreamWriter, correlation_id: bytes) -> None:
        answer = correlation_id + NOTHING_THERE
        for byte in struct.pack(">i", len(answer)) + answer:
            await asyncio.sleep(PATIENCE_S / 4)
            writer.write(bytes([byte]))

    async def script(broker: Broker, opened: Open) -> None:
        broker.answer = drip
        slow = await opened()
        assert (await slow.send(MetadataRequest([]))).topics == []
        assert broker.accepted == 1

    play(script)


def test_a_connection_stays_while_it_is_throttled() -> None:
    """The broker said for how long it reads nothing here (KIP-219); after that it owes again."""
    throttle_ms = int(4 * PATIENCE_S * 1_000)

    async def script(broker: Broker, opened: Open) -> None:
        async def tell(writer: asyncio.StreamWriter, correlation_id: bytes) -> None:
            broker.answer = None
            await write(writer, correlation_id + struct.pack(">ih", throttle_ms, 0))

        broker.answer = tell
        held = await opened()
        now_s = asyncio.get_running_loop().time
        await held.send(HeartbeatRequest("group", 1, "member"))
        told_s = now_s()
        with pytest.raises(RequestTimedOutError):
            await asyncio.wait_for(ask(held), TIMEOUT_S)
        assert now_s() - told_s > throttle_ms / 1_000 + PATIENCE_S

    play(script)


def test_who_waits_for_others_stays() -> None:
    """A member that joins is answered when all have joined, whatever became of its neighbours."""

    async def script(_: Broker, opened: Open) -> None:
        dead, joining = await opened(), await opened()
        joined = asyncio.ensure_future(
            joining.send(JoinGroupRequest("group", 10_000, 60_000, "", "", "consumer", []))
        )
        with pytest.raises(RequestTimedOutError):
            await asyncio.wait_for(ask(dead), TIMEOUT_S)
        assert joining.connected()
        assert not joined.done()
        joined.cancel()

    play(script)


def test_a_probe_that_breaks_is_not_tried_at_every_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it raises: here what a malformed answer to a login does."""
    tries: list[Connection] = []

    async def script(_: Broker, opened: Open) -> None:
        held = await opened()

        async def breaks(self: Connection) -> None:
            tries.append(self)
            raise KeyError("r")

        monkeypatch.setattr(half_open.Watched, "connect", breaks)
        asked = ask(held)
        await until(lambda: len(tries) == 1)
        await asyncio.sleep(5 * LOOK_S)
        assert len(tries) == 1
        await until(lambda: len(tries) == 2)
        assert held.connected()
        asked.cancel()

    play(script)
