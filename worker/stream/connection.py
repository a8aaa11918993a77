"""aiokafka's connections, made fit for uvloop: a broken one is told as aiokafka expects it."""

from __future__ import annotations

from typing import Any

import aiokafka.conn
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError


class Connection(AIOKafkaConnection):  # type: ignore[misc]  # aiokafka has no types
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
        except RuntimeError as error:
            raise self._broken(error) from error

    def _send_sasl_token(self, *given: Any, **named: Any) -> Any:
        try:
            return super()._send_sasl_token(*given, **named)
        except RuntimeError as error:
            raise self._broken(error) from error

    def _broken(self, error: RuntimeError) -> KafkaConnectionError:
        self.close(reason=CloseReason.CONNECTION_BROKEN)
        return KafkaConnectionError(f"Connection at {self.host}:{self.port} broken: {error}")


def install() -> None:
    """Makes aiokafka use connections of this kind; it offers no other way to choose them."""
    aiokafka.conn.AIOKafkaConnection = Connection
