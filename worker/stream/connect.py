"""Reaching Kafka and letting go of it: with retries, bounds and reasons."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from itertools import chain
from typing import Protocol, TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnsupportedSaslMechanismError,
)

from worker.errors import TransportError
from worker.settings import Settings
from worker.stream.clients import Admin, admin, security

BACKOFF_MAX_S = 5.0
STOP_TIMEOUT_S = 4.0
CAUSE_TIMEOUT_MS = 5_000

FORBIDDEN = (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnsupportedSaslMechanismError,
)
"""Answers that trying again does not change."""


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
    pause_s = 0.25
    while True:
        client = make()
        try:
            async with asyncio.timeout_at(deadline_s):
                await client.start()
        except (KafkaError, OSError) as error:  # TimeoutError is an OSError
            await stop(client)
            await pause(settings, error, pause_s, deadline_s, waiting)
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
    pause_s = 0.25
    while True:
        asker = await connect(settings, lambda: admin(settings), deadline_s, waiting)
        try:
            async with asyncio.timeout_at(deadline_s):
                return await question(asker)
        except (KafkaError, OSError) as error:
            failed = error
        finally:
            await stop(asker)
        await pause(settings, failed, pause_s, deadline_s, waiting)
        pause_s = min(pause_s * 2, BACKOFF_MAX_S)


async def pause(
    settings: Settings,
    error: Exception,
    pause_s: float,
    deadline_s: float | None,
    waiting: Callable[[str], None],
) -> None:
    """Waits before the next try.

    Raises:
        TransportError: there is no time for one, or it would be in vain.
    """
    loop = asyncio.get_running_loop()
    late = deadline_s is not None and loop.time() >= deadline_s
    cause = error if late else await _cause(settings, error)
    if isinstance(cause, FORBIDDEN):
        raise refused(cause) from None
    told = str(cause) or ("no answer" if isinstance(cause, TimeoutError) else type(cause).__name__)
    reason = f"cannot reach Kafka at {settings.brokers}: {told}"
    if deadline_s is not None and loop.time() + pause_s > deadline_s:
        raise TransportError(reason, retriable=True) from error
    waiting(reason)
    await asyncio.sleep(pause_s)


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
    sender = getattr(client, "_sender", None)
    if sender is not None:
        with contextlib.suppress(KafkaError, OSError):
            await sender.close()
    network = getattr(client, "client", None) or getattr(client, "_client", None)
    if network is not None:
        with contextlib.suppress(KafkaError, OSError):
            await network.close()


def hear(producer: AIOKafkaProducer) -> None:
    """Takes note of an error that aiokafka tells in several places: asyncio prints the unheard."""
    batches = chain.from_iterable(producer._message_accumulator._batches.values())
    for told in (producer._txn_manager._transaction_waiter, *(b._drain_waiter for b in batches)):
        if told is not None and told.done() and not told.cancelled():
            told.exception()


def refused(error: KafkaError) -> TransportError:
    """The error that stops the worker: Kafka answered, and its answer will not change."""
    return TransportError(f"Kafka refused: {type(error).__name__}: {error}", retriable=False)
