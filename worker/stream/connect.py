"""Reaching Kafka and letting go of it: with retries, bounds and reasons."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from itertools import chain
from typing import Protocol, TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import KafkaConnectionError, KafkaError

from worker.errors import ConfigError, TransportError
from worker.settings import Settings
from worker.stream.clients import Admin, admin
from worker.stream.denied import FORBIDDEN, refused, untrusted
from worker.stream.security import security

BACKOFF_MAX_S = 5.0
STOP_TIMEOUT_S = 4.0
CLOSE_TIMEOUT_S = 1.0
"""For each part of a client that did not stop: a request without an answer would take 40 s."""
CAUSE_TIMEOUT_MS = 5_000


class Client(Protocol):
    """What all Kafka clients share."""

    async def start(self) -> None:
        """Connects."""

    async def stop(self) -> None:
        """Disconnects."""


ClientT = TypeVar("ClientT", bound=Client)
AnswerT = TypeVar("AnswerT")


async def connect(
    settings: Settings,
    make: Callable[[], ClientT],
    deadline_s: float | None,
    waiting: Callable[[str], None],
) -> ClientT:
    """A started client; tries again until Kafka answers.

    Args:
        settings: whose brokers are tried.
        make: a new client for each try.
        deadline_s: on the loop's clock, when to give up; None waits for ever.
        waiting: told the reason before each further try.

    Raises:
        TransportError: not reached in time, or refused (credentials, authorization).
    """
    pause_s, reason = 0.25, ""
    while True:
        client = make()
        try:
            async with asyncio.timeout_at(deadline_s):
                await client.start()
        except (KafkaError, OSError) as error:  # TimeoutError is an OSError
            await stop(client)
            reason = await pause(settings, error, pause_s, deadline_s, waiting, reason)
            pause_s = min(pause_s * 2, BACKOFF_MAX_S)
        except BaseException:
            await stop(client)
            raise
        else:
            return client


async def ask(
    settings: Settings,
    question: Callable[[Admin], Awaitable[AnswerT]],
    deadline_s: float | None,
    waiting: Callable[[str], None],
) -> AnswerT:
    """What Kafka says about topics; asks again until there is an answer.

    Args:
        settings: whose brokers are asked.
        question: put to a connected client, anew for each try.
        deadline_s: on the loop's clock, when to give up; None waits for ever.
        waiting: told the reason before each further try.

    Raises:
        TransportError: no answer in time, or refused.
    """
    pause_s, reason = 0.25, ""
    while True:
        asker = await connect(settings, lambda: admin(settings), deadline_s, waiting)
        try:
            async with asyncio.timeout_at(deadline_s):
                return await question(asker)
        except (KafkaError, OSError) as error:
            failed = error
        finally:
            await stop(asker)
        reason = await pause(settings, failed, pause_s, deadline_s, waiting, reason)
        pause_s = min(pause_s * 2, BACKOFF_MAX_S)


async def pause(
    settings: Settings,
    error: Exception,
    pause_s: float,
    deadline_s: float | None,
    waiting: Callable[[str], None],
    before: str = "",
) -> str:
    """Waits before the next try.

    Args:
        settings: whose brokers were tried.
        error: what came of it.
        pause_s: how long.
        deadline_s: on the loop's clock, when to give up; None waits for ever.
        waiting: told the reason.
        before: the reason of the last try: that time was over meanwhile tells less.

    Returns:
        The reason.

    Raises:
        TransportError: there is no time for one, or it would be in vain.
    """
    loop = asyncio.get_running_loop()
    late = deadline_s is not None and loop.time() >= deadline_s
    cause = error if late else await _cause(settings, error)
    if isinstance(cause, FORBIDDEN):
        raise refused(cause) from None
    if (tls := untrusted(cause)) is not None:
        raise TransportError(f"Kafka at {settings.brokers}: {tls}", retriable=False) from None
    if not (before and late and isinstance(error, TimeoutError)):
        before = f"cannot reach Kafka at {settings.brokers}: {_told(cause, settings)}"
    if deadline_s is not None and loop.time() + pause_s > deadline_s:
        raise TransportError(before, retriable=True) from error
    waiting(before)
    await asyncio.sleep(pause_s)
    return before


async def why_silent(settings: Settings) -> str:
    """Why the first broker lets nobody in any more; empty where it does."""
    silence = KafkaConnectionError()
    try:
        cause = await _cause(settings, silence)
    except ConfigError as error:  # a certificate that is being replaced
        return str(error)
    if cause is silence:
        return ""
    if isinstance(cause, FORBIDDEN):
        return str(refused(cause))
    return untrusted(cause) or _told(cause, settings)


def _told(cause: Exception, settings: Settings) -> str:
    """A reason in words; a broker that hangs up may have been asked in another protocol."""
    told = str(cause) or ("no answer" if isinstance(cause, TimeoutError) else type(cause).__name__)
    hung_up = isinstance(cause, KafkaConnectionError) and told.endswith("closed")
    if hung_up or isinstance(cause, ConnectionResetError):
        told += f"; does it listen for RTML_SECURITY_PROTOCOL {settings.security_protocol} there?"
    return told


async def _cause(settings: Settings, error: Exception) -> Exception:
    """Why the first broker does not let us in: aiokafka tells that to its log only."""
    found = error
    if isinstance(error, KafkaConnectionError):
        given = security(settings)
        host, port, _ = collect_hosts(given.pop("bootstrap_servers"), randomize=False)[0]
        try:
            connection = await create_conn(host, port, request_timeout_ms=CAUSE_TIMEOUT_MS, **given)
            connection.close()
        except (KafkaError, OSError) as cause:
            found = cause
    return found


async def stop(client: Client) -> None:
    """Stops a client within a bound: a producer would flush for ever without a broker."""
    try:
        with contextlib.suppress(KafkaError, OSError):
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await client.stop()
            return
        await _disconnect(client)
    except asyncio.CancelledError:  # aiokafka's fetcher lets that of its own task escape
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise


async def _disconnect(client: Client) -> None:
    """Ends what a client that could not be stopped in time leaves running."""
    network = getattr(client, "client", None) or getattr(client, "_client", None)
    for part in (getattr(client, "_sender", None), network):
        if part is not None:
            with contextlib.suppress(KafkaError, OSError):  # TimeoutError is an OSError
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await part.close()


def hear(producer: AIOKafkaProducer) -> None:
    """Takes note of an error that aiokafka tells in several places: asyncio prints the unheard."""
    batches = chain.from_iterable(producer._message_accumulator._batches.values())
    for told in (producer._txn_manager._transaction_waiter, *(b._drain_waiter for b in batches)):
        if told is not None and told.done() and not told.cancelled():
            told.exception()
