"""aiokafka's connections, made fit for uvloop, and what they log, made fit to be read."""

from __future__ import annotations

import logging
from typing import Any

import aiokafka.conn
from aiokafka.conn import CloseReason, OAuthAuthenticator
from aiokafka.errors import KafkaConnectionError, KafkaError, SaslAuthenticationFailed

from worker.stream.half_open import Watched


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


class Connection(Watched):
    """A connection whose requests fail with a `KafkaConnectionError` where the broker is gone.

    Between the end of the socket and the loop's next turn a connection still counts as open. What
    is written then is dropped by asyncio, while uvloop raises a `RuntimeError`, which aiokafka does
    not expect: it ends the task that keeps a client's metadata fresh, and who waits for them waits
    for ever (5 of some 110 workers whose broker was killed and came back).
    """

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
        except KafkaError:
            raise
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
