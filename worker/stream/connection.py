"""aiokafka's connections, made fit for uvloop, and what they log, made fit to be read."""

from __future__ import annotations

import asyncio
import logging
import time
import weakref
from typing import Any, ClassVar

import aiokafka.conn
import structlog
from aiokafka.conn import AIOKafkaConnection, CloseReason, OAuthAuthenticator
from aiokafka.errors import KafkaConnectionError, KafkaError, SaslAuthenticationFailed

from worker.stream.silence import LOOK_S, PATIENCE_S, Silence, patience_s

ANEW_TIMEOUT_MS = 5_000

log = structlog.get_logger(__name__)


class _Authenticator(OAuthAuthenticator):  # type: ignore[misc]  # aiokafka has no types
    """Hears that a token is refused: the broker first says so in the place of its challenge."""

    async def step(self, payload: bytes | None) -> tuple[bytes, bool] | None:
        """What is sent next; None where nothing is.

        Raises:
            SaslAuthenticationFailed: the broker does not take the token, with its reason.
        """
        if payload:
            reason = f"the broker does not take the token: {payload.decode(errors='replace')}"
            raise SaslAuthenticationFailed(reason)
        found: tuple[bytes, bool] | None = await super().step(payload)
        return found


class Connection(AIOKafkaConnection):  # type: ignore[misc]  # aiokafka has no types
    """A connection whose requests fail with a `KafkaConnectionError` where the broker is gone.

    Between the end of the socket and the loop's next turn a connection still counts as open. What
    is written then is dropped by asyncio, while uvloop raises a `RuntimeError`, which aiokafka does
    not expect: it ends the task that keeps a client's metadata fresh, and who waits for them waits
    for ever (5 of some 110 workers whose broker was killed and came back).

    It is closed where it owes an answer for too long while a new connection to the same broker is
    answered: its other end is gone. So are all others that have been as quiet, idle ones too: what
    took one has likely taken them, and an idle one is found out only when it is used again. Where
    nobody is answered the broker is slow or away, and what was sent to it may still arrive; then
    the requests' own time decides.
    """

    _open: ClassVar[weakref.WeakSet[Connection]] = weakref.WeakSet()

    def __init__(self, host: str, port: int, **given: Any) -> None:
        super().__init__(host, port, **given)
        self._anew = {**given, "on_close": None, "request_timeout_ms": ANEW_TIMEOUT_MS}
        self._silence = Silence()
        self._doubt: asyncio.Task[None] | None = None
        self._throttled_until_s = 0.0

    async def connect(self) -> Any:
        """Reader and writer, once the broker has let this client in."""
        opened = await super().connect()
        self._open.add(self)
        self._loop.call_later(LOOK_S, self._look_on, weakref.ref(self))
        return opened

    @staticmethod
    def _look_on(held: weakref.ref[Connection]) -> None:
        """Regularly, until it is closed; keeps no connection alive."""
        self = held()
        if self is None or not self.connected():
            return
        self._look()
        if self._doubt is None and self._overdue():
            self._doubt = asyncio.ensure_future(self._compare())
        self._loop.call_later(LOOK_S, self._look_on, held)

    def _handle_frame(self, resp: bytes) -> None:
        """Takes an answer; hears in it for how long the broker will not read here (KIP-219)."""
        answer = self._requests[0][2]
        super()._handle_frame(resp)
        if answer.done() and not answer.cancelled() and answer.exception() is None:
            throttle_ms = getattr(answer.result(), "throttle_time_ms", 0)
            if throttle_ms:
                self._throttled_until_s = time.monotonic() + throttle_ms / 1_000

    def _look(self) -> None:
        if time.monotonic() < self._throttled_until_s:
            self._silence = Silence()
            return
        due = self._requests[0][0] if self._requests else None
        self._silence.look((self._last_action, len(self._reader._buffer)), due)

    def _overdue(self) -> bool:
        owed_s = self._silence.owed_s
        return owed_s >= PATIENCE_S and owed_s >= patience_s(self._requests[0][1])

    async def _compare(self) -> None:
        """Closes this connection where a new one is let in and this one still says nothing."""
        new = Connection(self.host, self.port, **self._anew)
        try:
            await new.connect()
        except (KafkaError, OSError):  # TimeoutError is an OSError
            self._silence = Silence()  # asked again after as long a silence
        else:
            if self.connected():
                self._look()  # at what came meanwhile
                if self._overdue():
                    self._bury()
        finally:
            new.close()
            self._doubt = None

    def _bury(self) -> None:
        """Closes it, and all others to the same broker that have been as quiet."""
        place = (self.host, self.port)
        others = [one for one in self._open if (one.host, one.port) == place and one.connected()]
        dead = [one for one in others if one._silence.quiet_s >= PATIENCE_S]
        log.warning(
            "connections_dead",
            broker=f"{self.host}:{self.port}",
            connections=len(dead),
            silent_s=self._silence.owed_s,
            hint="a new connection is answered; these are closed, what they owe is asked anew",
        )
        for one in dead:
            one.close(reason=CloseReason.CONNECTION_TIMEOUT)

    def send(self, *given: Any, **named: Any) -> Any:
        """The response to a request, to be awaited.

        Raises:
            KafkaConnectionError: the connection is broken; it is closed, the next one is another.
        """
        try:
            return super().send(*given, **named)
        except KafkaError:  # a RuntimeError too, and understood
            raise
        except RuntimeError as error:
            raise self._broken(error) from error

    def _send_sasl_token(self, *given: Any, **named: Any) -> Any:
        try:
            return super()._send_sasl_token(*given, **named)
        except RuntimeError as error:
            raise self._broken(error) from error

    def authenticator_oauth(self) -> _Authenticator:
        """Of connections by OAUTHBEARER."""
        return _Authenticator(sasl_oauth_token_provider=self._sasl_oauth_token_provider)

    def _broken(self, error: RuntimeError) -> KafkaConnectionError:
        self.close(reason=CloseReason.CONNECTION_BROKEN)
        return KafkaConnectionError(f"Connection at {self.host}:{self.port} broken: {error}")


def _hides_logins(record: logging.LogRecord) -> bool:
    """Takes passwords and tokens out of what aiokafka logs of its requests at level debug."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            "SaslAuthenticate(...)" if "SaslAuthenticate" in type(one).__name__ else one
            for one in record.args
        )
    return True


def install() -> None:
    """Makes aiokafka use connections of this kind; it offers no other way to choose them."""
    aiokafka.conn.AIOKafkaConnection = Connection
    aiokafka.conn.log.addFilter(_hides_logins)
