"""Finds connections whose other end is gone without a word.

A load balancer has forgotten them, or a machine is off: what is written seems to arrive, and
nothing ever answers. They owe an answer for too long, while a new connection to the same broker is
let in. Where nobody is let in the broker is slow or away, and the requests' own time decides.
"""

from __future__ import annotations

import asyncio
import math
import socket
import struct
import time
import weakref
from contextlib import suppress
from typing import Any

import structlog
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import RequestTimedOutError
from aiokafka.protocol.admin import ApiVersionRequest

from worker.stream.silence import LOOK_S, PATIENCE_S, Closings, Silence, patience_s, wait_s

PROBE_TIMEOUT_S = 10.0
SECOND_LOOKS = 3
"""A broker that has come back may let the new connection in before it answers the old one."""
_FORGET = struct.pack("ii", 1, 0)

log = structlog.get_logger(__name__)


class Watched(AIOKafkaConnection):  # type: ignore[misc]  # aiokafka has no types
    """A connection that is looked at regularly once it is open."""

    def __init__(self, host: str, port: int, **given: Any) -> None:
        super().__init__(host, port, **given)
        self._given = given
        self._throttled_until_s = 0.0
        self.silence = Silence()

    async def connect(self) -> Any:
        """Reader and writer, once the broker has let this client in."""
        opened = await super().connect()
        watch(self)
        return opened

    def another(self) -> Watched:
        """A connection to the same broker, for the same client, not opened yet."""
        return type(self)(self.host, self.port, **{**self._given, "on_close": None})

    def _handle_frame(self, resp: bytes) -> None:
        """Takes an answer; hears in it for how long the broker will not read here (KIP-219)."""
        answer = self._requests[0][2]
        super()._handle_frame(resp)
        if answer.done() and not answer.cancelled() and answer.exception() is None:
            throttle_ms = getattr(answer.result(), "throttle_time_ms", 0)
            if throttle_ms:
                self._throttled_until_s = time.monotonic() + throttle_ms / 1_000

    def look(self) -> None:
        """Notes whether something came since the last look."""
        if time.monotonic() < self._throttled_until_s:
            self.silence = Silence()
        elif self.connected():
            due = self._requests[0][0] if self._requests else None
            self.silence.look((self._last_action, len(self._reader._buffer)), due)

    def is_overdue(self, factor: int) -> bool:
        """Whether, when it was just looked at, an answer was owed for too long, times a factor."""
        owed_s = self.silence.owed_s
        return owed_s >= PATIENCE_S * factor and owed_s >= self._patience_s() * factor

    @property
    def is_as_quiet(self) -> bool:
        """Whether nothing came for as long as an answer may take, once its request has arrived."""
        request = self._requests[0][1] if self._requests else None
        return self.silence.quiet_s >= (PATIENCE_S if request is None else wait_s(request))

    def _patience_s(self) -> float:
        return patience_s(self._requests[0][1]) if self._requests else math.inf

    @property
    def due(self) -> str:
        """What the answer that is waited for is to; empty where none is."""
        return type(self._requests[0][1]).__name__ if self._requests else ""

    def drop(self) -> None:
        """Ends it; what it owes ends as if its own time were over."""
        for _, _, answer in self._requests:
            if not answer.done():
                answer.set_exception(RequestTimedOutError())
        self.close(reason=CloseReason.CONNECTION_TIMEOUT)

    def close(self, reason: CloseReason | None = None, exc: BaseException | None = None) -> Any:
        """Ends it; after a time-out so that nothing leaves this machine any more.

        What is owed is asked again by another connection: a request that came after that would be
        a second one.
        """
        transport = None
        if reason is CloseReason.CONNECTION_TIMEOUT and self._writer is not None:
            transport = self._writer.transport
            _reset(transport)
        closed = super().close(reason=reason, exc=exc)
        if transport is not None:
            transport.abort()
        return closed


def _reset(transport: asyncio.Transport) -> None:
    """Lets the kernel forget what it has not sent yet."""
    held = transport.get_extra_info("socket")
    if held is not None:
        with suppress(OSError, ValueError):  # it has just ended by itself
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _FORGET)


class Watch:
    """Looks at the connections of one event loop to one broker, as long as there are any."""

    def __init__(self) -> None:
        self._open: weakref.WeakSet[Watched] = weakref.WeakSet()
        self._closings = Closings()
        self._probe: asyncio.Task[None] | None = None
        self._looks_left = 0
        self._looking = False

    def add(self, one: Watched) -> None:
        """From now on; keeps no connection alive."""
        self._open.add(one)
        if not self._looking:
            self._looking = True
            asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def _look(self) -> None:
        held = [one for one in self._open if one.connected()]
        self._looking = bool(held)
        if held:
            asyncio.get_running_loop().call_later(LOOK_S, self._look)
            for one in held:
                one.look()
            self._judge(held)
        elif self._probe is not None:
            self._probe.cancel()

    def _judge(self, held: list[Watched]) -> None:
        factor = self._closings.factor(time.monotonic())
        overdue = [one for one in held if one.is_overdue(factor)]
        if self._looks_left:
            self._looks_left -= 1
            if overdue and not self._looks_left:
                self._drop(overdue, held)
        elif overdue and self._probe is None:
            self._probe = asyncio.ensure_future(self._let_in(overdue[0].another(), held))
            self._probe.add_done_callback(self._probed)

    def _probed(self, _: asyncio.Task[None]) -> None:
        self._probe = None

    async def _let_in(self, new: Watched, held: list[Watched]) -> None:
        """Tries a new connection; what still says nothing some looks after that is dropped."""
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                await new.connect()
                # After a login: before it, ApiVersions is answered by who could not answer more.
                await new.send(ApiVersionRequest())
            self._looks_left = SECOND_LOOKS
        except Exception as error:  # noqa: BLE001 - whatever keeps a new one out is no proof
            log.info("broker_silent", broker=f"{new.host}:{new.port}", reason=repr(error))
            for one in held:
                one.silence = Silence()  # asked again after as long a silence
        finally:
            new.close()

    def _drop(self, overdue: list[Watched], held: list[Watched]) -> None:
        """Ends them, and what has been as quiet: an idle one is found out only when used again."""
        first = overdue[0]
        dead = {*overdue, *(one for one in held if one.is_as_quiet)}
        self._closings.note(time.monotonic())
        log.warning(
            "connections_dead",
            broker=f"{first.host}:{first.port}",
            connections=len(dead),
            request=first.due,
            silent_s=first.silence.owed_s,
            hint="a new one is let in, these do not answer: closed, what they owe is asked anew",
        )
        for one in dead:
            one.drop()


_watches: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, int], Watch]]
_watches = weakref.WeakKeyDictionary()


def watch(one: Watched) -> None:
    """Looks at a connection that has been opened in the running event loop."""
    by_place = _watches.setdefault(asyncio.get_running_loop(), {})
    by_place.setdefault((one.host, one.port), Watch()).add(one)
